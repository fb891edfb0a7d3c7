"""The user's question and the model's answer inside the templates that frameworks put around them.

Read: DSPy 2.6-3 (fields between markers), CrewAI 1 (task and final answer), smolagents 1 (task), LlamaIndex 0.10-0.14
(question below a context). Knows text alone.
"""

import re
from collections.abc import Iterator
from typing import Final

from ..model.trace import Document
from .embedded import parsed

_FIELD: Final = re.compile(r"^\[\[ ## (\w+) ## \]\][ \t]*\n?", re.MULTILINE)
_DSPY: Final = "[[ ## "
_RESPOND: Final = "\n\nRespond with the corresponding output field"
_QUESTIONS: Final = ("question", "query", "user_input", "input", "request", "message", "task")
_CONTEXTS: Final = ("context", "documents", "passages", "docs")
_ANSWERS: Final = ("answer", "response", "output", "result", "reply", "completion")
_PASSAGE: Final = re.compile(r"^\[\d{1,9}\] «+|»$", re.MULTILINE)
_CREW_TASK: Final = re.compile(
    r"\s*Current Task: (.*?)\n\nThis is the expected criteria for your final answer:", re.DOTALL
)
_CREW_ANSWER: Final = re.compile(r"(?:\A|\n)[^\S\n]*Final Answer:")
_SMOL_TASK: Final = re.compile(r"\s*New task:\n(.+)", re.DOTALL)
_TASKS: Final = "Current Task: ", "New task:\n"
_LLAMA_CONTEXT: Final = "Context information is below."
_LLAMA_QUERY: Final = "\nQuery: "
_LLAMA_ANSWER: Final = "\nAnswer:"


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
    for template in (_CREW_TASK, _SMOL_TASK) if text.lstrip().startswith(_TASKS) else ():
        if found := template.match(text):
            return found[1].strip()
    return _llama_question(text) or text


def _llama_question(text: str) -> str | None:
    if not text.startswith(_LLAMA_CONTEXT) or not text.rstrip().endswith(_LLAMA_ANSWER):
        return None
    _, found, asked = text.rstrip().removesuffix(_LLAMA_ANSWER).rpartition(_LLAMA_QUERY)
    return asked.strip() if found else None


def answer(text: str | None) -> str | None:
    """Return what a reply answers; the reply where it is in no known template."""
    if not text:
        return text
    if text.startswith(_DSPY):
        fields = _fields(text)
        said = next((fields[name] for name in _ANSWERS if fields.get(name)), None)
        own = [value for name, value in fields.items() if value and name not in ("reasoning", "completed")]
        return said or (own[-1] if own else text)
    if (whole := text.lstrip()).startswith(("Thought:", "Final Answer:")) and (found := _CREW_ANSWER.search(whole)):
        return whole[found.end() :].strip() or text
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
    return [Document(passage) for passage in _passages(value)]


def _passages(text: str) -> Iterator[str]:
    """The texts between marks like [1] « and » at the end of a line."""
    start = -1
    for mark in _PASSAGE.finditer(text):
        if mark[0] != "»":
            start = mark.end() if start < 0 else start
        elif start >= 0:
            yield text[start : mark.start()].rstrip("»").strip()
            start = -1
