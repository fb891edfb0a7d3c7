"""The user's question and the model's answer inside the templates that frameworks put around them.

Read: DSPy 2.6-3 (fields between markers), CrewAI 1 (task and final answer), smolagents 1 (task), LlamaIndex 0.10-0.14
(question below a context). Knows text alone.
"""

import re
from typing import Final

from ..trace import Document
from .embedded import parsed

_FIELD: Final = re.compile(r"^\[\[ ## (\w+) ## \]\][ \t]*\n?", re.MULTILINE)
_DSPY: Final = "[[ ## "
_RESPOND: Final = "\n\nRespond with the corresponding output field"
_QUESTIONS: Final = ("question", "query", "user_input", "input", "request", "message", "task")
_CONTEXTS: Final = ("context", "documents", "passages", "docs")
_ANSWERS: Final = ("answer", "response", "output", "result", "reply", "completion")
_PASSAGE: Final = re.compile(r"^\[\d+\] «+(.*?)»+$", re.MULTILINE | re.DOTALL)
_CREW_TASK: Final = re.compile(
    r"\s*Current Task: (.*?)\n\nThis is the expected criteria for your final answer:", re.DOTALL
)
_CREW_ANSWER: Final = re.compile(r"\s*(?:Thought:.*?\n)?\s*Final Answer:\s*(.+)", re.DOTALL)
_SMOL_TASK: Final = re.compile(r"\s*New task:\n(.+)", re.DOTALL)
_LLAMA_QUERY: Final = re.compile(r"Context information is below\..*\nQuery: (.*?)\nAnswer:\s*$", re.DOTALL)


def _fields(text: str) -> dict[str, str]:
    pieces = _FIELD.split(text)
    return {name: value.strip() for name, value in zip(pieces[1::2], pieces[2::2], strict=True)}


def question(text: str | None) -> str | None:
    """Return the user's own words of a prompt; the prompt where it is in no known template."""
    if not text:
        return text
    if _DSPY in text:
        fields = _fields(text.partition(_RESPOND)[0])
        asked = next((fields[name] for name in _QUESTIONS if fields.get(name)), None)
        own = [value for name, value in fields.items() if value and name not in (*_CONTEXTS, "history")]
        return asked or (own[0] if own else text)
    for template in (_CREW_TASK, _SMOL_TASK, _LLAMA_QUERY):
        if found := template.match(text):
            return found[1].strip()
    return text


def answer(text: str | None) -> str | None:
    """Return what a reply answers; the reply where it is in no known template."""
    if not text:
        return text
    if text.startswith(_DSPY):
        fields = _fields(text)
        said = next((fields[name] for name in _ANSWERS if fields.get(name)), None)
        own = [value for name, value in fields.items() if value and name not in ("reasoning", "completed")]
        return said or (own[-1] if own else text)
    if text.lstrip().startswith(("Thought:", "Final Answer:")) and (found := _CREW_ANSWER.match(text)):
        return found[1].strip()
    return text


def documents(text: str | None) -> list[Document]:
    """Return the documents in a prompt's field of their own (DSPy)."""
    if not text or _DSPY not in text:
        return []
    fields = _fields(text.partition(_RESPOND)[0])
    value = next((fields[name] for name in _CONTEXTS if fields.get(name)), "")
    items = parsed(value)
    if type(items) is list:
        return [Document(item) for item in items if type(item) is str and item]
    return [Document(passage.strip()) for passage in _PASSAGE.findall(value)]
