"""Which of several model calls made the answer that the user saw: decided by evidence, not by which one came last."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from .messages import Message, first_choice, last_question, last_reply
from .node import Node
from .story import Story

_HELPER = re.compile(
    r"\b(?:titles?|tags|headline|follow[- ]?ups?|suggest(?:ed|ions?)?|summari[sz]e (?:the|this) (?:chat|conversation)"
    r"|name (?:for )?(?:the|this) (?:chat|conversation)|moderat\w+|unsafe|classif\w+|categori[sz]e|router?|intent)\b",
    re.IGNORECASE,
)
"""Of prompts of calls beside the answer: titles, tags, follow-up questions, moderation, routing."""
_NAMES = (
    "gen_ai.prompt.name",
    "langfuse.observation.prompt.name",
    "traceloop.prompt.key",
    "traceloop.entity.name",
    "ai.telemetry.functionId",
    "gen_ai.agent.name",
)
_MANY, _FIRST = 200, 20
"""Model calls of a trace that are looked at, and how many of them are its first ones; the others are its last ones."""
_SHORT = 400
"""Characters of a system prompt that are looked at: an assistant's own is longer and may name anything."""


def given(group: list[Node]) -> list[Message] | None:
    """Return what a call was given: of several accounts of it what the outermost says, else the next one."""
    for node in group:
        if (found := node.dialect.inputs(node)) is not None:
            return found
    return None


def replied(group: list[Node]) -> Message | None:
    """Return what a call replied, from the same account."""
    for node in group:
        found = node.dialect.outputs(node)
        if found and (reply := first_choice(found) if node.role == "generation" else last_reply(found)) is not None:
            return reply
    return None


def answering(story: Story, helpers: Sequence[str] = ()) -> list[Node]:
    """Return the call that answered: what the root showed, else the last that was asked what the user asked.

    Calls with text come before those that were seen only by their model (speech, moderation). A call whose prompt asks
    for a title, tags, follow-up questions or a class is none, unless there is no other; nor is one that a pattern in
    ``helpers`` names.
    """
    groups = story.groups if len(story.groups) <= _MANY else [*story.groups[:_FIRST], *story.groups[_FIRST - _MANY :]]
    # The last one first: of a trace with more JSON than may be read, it is the one to be understood.
    calls = [_Call(group) for group in reversed(groups)][::-1]
    calls = [call for call in calls if not _is_named(call.group, helpers)] or calls
    spoken = [call for call in calls if call.reply is not None and call.reply.speaks()] or calls
    spoken.sort(key=lambda call: call.ending)
    if len(spoken) == 1:
        return spoken[0].group
    chains = story.chains_above(spoken[-1].group[0]) or ([root] if (root := story.outermost_chain()) else [])
    shown = next((reply.text for chain in chains if (reply := replied([chain])) is not None and reply.text), None)
    if shown and (showed := [call for call in spoken if call.text and call.text in shown]):
        return showed[-1].group
    question = next((asked for chain in chains if (asked := last_question(given([chain])))), None)
    return _by_question(spoken, question or calls[0].question or "")


def _is_named(group: list[Node], helpers: Sequence[str]) -> bool:
    names = [name for node in group for name in (node.span.name, *map(node.get, _NAMES)) if type(name) is str]
    return any(fnmatchcase(name, pattern) for pattern in helpers for name in names)


def _by_question(spoken: list["_Call"], question: str) -> list[Node]:
    own = [call for call in spoken if not call.helps] or spoken
    last = own[-1]
    asked = [call for call in own if call.question == question and call.text]
    is_about_it = question and last.question and last.question != question and question in last.question
    if asked and is_about_it and not _went_into(asked[-1], last):
        return asked[-1].group  # the last one was told of the question to do something else with it
    return last.group


def _went_into(call: "_Call", later: "_Call") -> bool:
    """Whether a later call was given what this one said, to make something of it."""
    text = call.text
    return text is not None and any(text in (item.text or "") for item in given(later.group) or ())


class _Call:
    """A model call with what it was asked and said."""

    def __init__(self, group: list[Node]) -> None:
        self.group = group
        self.reply = replied(group)
        self.text = self.reply.text if self.reply is not None else None
        asked = given(group)
        self.question = last_question(asked)
        self.ending = group[0].span.end, group[0].span.start
        system = next((item.text for item in asked or () if item.role == "system" and item.text), "")
        prompts = len([item for item in asked or () if item.role == "user"])
        instruction = system[:_SHORT] if system else (self.question or "")[:_SHORT] if prompts == 1 else ""
        self.helps = bool(_HELPER.search(instruction)) and not (self.reply is not None and self.reply.tool_calls)
