"""One Trace from the spans and log records of a trace: every field from one source; knows no dialect's names."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

from msgspec import Struct

from ..model.trace import UNKNOWN, ContentState, Document, LogRecord, Span, ToolCall, ToolDefinition, Trace
from ..model.visible_text import visible
from . import facts, templates, timing
from .answering import answering, given, replied
from .embedded import begin, bounded, label, parsed
from .finish import finish_reason, worse
from .messages import Message, earlier_texts, last_question, last_reply, recent_results, system_text
from .node import Format, Node
from .sources import Sources
from .story import Story
from .toolcalls import result_text


class _Said(Struct, gc=False):
    """What the answering call was given and replied, the first call was given, and the chain around them."""

    given: list[Message] | None
    reply: Message | None
    first: list[Message] | None
    calls: tuple[ToolCall, ...]
    chain_given: list[Message] | None = None
    chain_reply: Message | None = None


def normalise(
    trace_id: bytes, spans: Sequence[Span], logs: Sequence[LogRecord], sources: Sources, helpers: Sequence[str] = ()
) -> Trace | None:
    """Return what one LLM request asked and was answered; None where nothing in the trace is one.

    ``helpers``: patterns over the names of model calls that answer nobody.
    """
    begin()
    story = Story(spans, logs)
    if not story.nodes:
        return None
    if story.groups:
        group = answering(story, helpers) if len(story.groups) > 1 else story.groups[0]
        outer = story.chain_above(group[0])
    else:
        root = story.outermost_chain()
        if root is None or not _speaks(root):
            return None
        group, outer = [root], root
    return _trace(trace_id, story, group, outer, sources)


def _speaks(root: Node) -> bool:
    """Whether a chain without model calls is a request: it was asked and answered, and is no part of one."""
    if root.dialect.is_fragment(root):
        return False
    reply = last_reply(root.dialect.outputs(root))
    return bool(root.dialect.inputs(root)) and (facts.failed(root) or (reply is not None and reply.speaks()))


def _trace(trace_id: bytes, story: Story, group: list[Node], outer: Node | None, sources: Sources) -> Trace:
    call = group[0]
    said = _said(story, group, outer)
    asked = _format(group, outer)
    answer, refusal = _answer(said, asked)
    context = _documents(story, group, said.given)
    finish = _finish(group, said.reply)
    counts = facts.counted(group)
    state = _state(said, answer, refusal, finish, group, outer, output_tokens=counts[1])
    error = facts.error(group, outer)
    request_model, response_model, response_id, provider, *chosen = facts.told(story, group, sources)
    app, route, prompt_version, prompt_name, conversation, user, environment = chosen
    input_tokens, output_tokens, cache_read, cache_write = facts.tokens(story, group, counts)
    start, seconds = facts.times(story.spans)
    results, tool_errors = _tool_results(story, said)
    return Trace(  # by position: by thirty names it takes five times as long
        trace_id.hex(),
        UNKNOWN if app is None or app.startswith("unknown_service") else app,
        route or UNKNOWN,
        response_model or request_model or UNKNOWN,
        prompt_version or UNKNOWN,
        prompt_name,
        request_model,
        provider,
        environment,
        conversation,
        user,
        response_id,
        call.dialect.name,
        state,
        _question(story, said, context),
        system_text(said.given) or (system_text(said.chain_given) if said.chain_given else None),
        "" if state == "empty" else None if state == "error" else answer,
        None if state == "error" else refusal,
        tuple(context),
        said.calls,
        _tools(story, group, outer),
        results,
        asked.json,
        asked.schema,
        finish,
        input_tokens,
        output_tokens,
        start,
        seconds,
        error,
        cache_read,
        cache_write,
        said.reply is not None and said.reply.other,
        None if error is None else facts.error_kind_of(group, outer),
        timing.first_token_seconds(group),
        timing.generation_seconds(group) if group[0].role == "generation" else None,
        counts[1],
        *(timing.asked_again(story) if len(story.groups) > 1 else (0, 0)),
        tool_errors,
        earlier_texts(said.given),
    )


def _said(story: Story, group: list[Node], outer: Node | None) -> _Said:
    asked, reply = given(group), replied(group)
    said = _Said(asked, reply, asked, () if reply is None else tuple(reply.tool_calls))
    if len(story.groups) > 1:
        said.first = asked if story.groups[0] is group else given(story.groups[0])
        said.calls = _calls([reply if other is group else replied(other) for other in story.groups])
    if not said.calls and len(story.nodes) > 1:
        said.calls = _executed(story)
    if outer is not None and outer is not group[0]:
        _add_chain(said, story.chains_above(group[0]))
    return said


def _add_chain(said: _Said, chains: list[Node]) -> None:
    """Add what the outermost chain was given and replied; one that is silent has the next one inside speak for it."""
    for node in chains:
        if said.chain_given is None and (found := given([node])) and last_question(found):
            said.chain_given = found
        if said.chain_reply is None and not facts.failed(node) and (reply := replied([node])) and reply.speaks():
            said.chain_reply = reply


def _calls(replies: Sequence[Message | None]) -> tuple[ToolCall, ...]:
    found: list[ToolCall] = []
    seen: set[str] = set()
    for call in chain.from_iterable(reply.tool_calls for reply in replies if reply is not None):
        if call.id is None or call.id not in seen:
            found.append(call)
            seen.add(call.id or "")
    return tuple(found)


def _executed(story: Story) -> tuple[ToolCall, ...]:
    """Return the tools that ran, where no model call says which it called."""
    found = []
    for node in story.nodes:
        if node.role == "tool" and not story.holds_calls(node) and (name := _tool_name(node)):
            arguments = _unwrapped(bounded(parsed(node.pick(node.dialect.tool_arguments))))
            found.append(ToolCall(name=name, arguments=arguments, id=label(node.pick(node.dialect.tool_id))))
    return tuple(found)


def _unwrapped(arguments: Any) -> Any:
    """Return a call's arguments without the wrapper of a function's own call, ``{"args": ["{…}"]}``."""
    if type(arguments) is dict and arguments.keys() <= {"args", "kwargs"}:
        args, kwargs = arguments.get("args"), arguments.get("kwargs")
        if type(kwargs) is dict and kwargs and not args:
            return kwargs
        if type(args) is list and len(args) == 1 and not kwargs:
            return bounded(parsed(args[0]))
    return arguments


def _tool_name(node: Node) -> str:
    return label(node.pick(node.dialect.tool_name)) or node.span.name


def _answer(said: _Said, asked: Format) -> tuple[str | None, str | None]:
    """Return (answer, refusal): what the root showed, else what the model said last; JSON as the model wrote it."""
    reply, shown = said.reply, said.chain_reply
    if reply is not None and reply.refusal and not reply.text:
        return None, reply.refusal
    if shown is not None and shown.text and not (asked.json and reply is not None and reply.text):
        return templates.answer(visible(shown.text)), None
    if reply is not None and reply.text is not None:
        return templates.answer(visible(reply.text)), None
    return (None, shown.refusal) if shown is not None else (None, None)


def _state(
    said: _Said,
    answer: str | None,
    refusal: str | None,
    finish: str | None,
    group: list[Node],
    outer: Node | None,
    *,
    output_tokens: int | None,
) -> ContentState:
    reply = said.reply
    called = reply is not None and (bool(reply.tool_calls) or reply.other)
    if facts.failed(group[0]) or finish == "error":
        return "error"
    if refusal:
        return "refused"
    if answer:
        return "answered"
    if called and outer is not None and facts.failed(outer):
        return "error"
    asked = _captured(said.given) or _captured(said.chain_given)
    if called and reply is not None:
        return "answered" if asked or reply.other or _argued(reply) else "not_captured"
    if finish == "tool_call":
        return "not_captured"
    said_nothing = reply is not None or output_tokens == 0  # a choice may be lost, or in another trace
    return "empty" if answer == "" or (asked and said_nothing) else "not_captured"


def _captured(given: list[Message] | None) -> bool:
    return any(item.text or item.results or _argued(item) for item in given or ())


def _argued(item: Message) -> bool:
    return any(call.arguments is not None for call in item.tool_calls)


def _question(story: Story, said: _Said, context: list[Document]) -> str | None:
    """Return the user's own words, without a framework's template around them."""
    return templates.question(_asked(story, said, context))


def _asked(story: Story, said: _Said, context: list[Document]) -> str | None:
    """Return what was asked: a RAG prompt repeats it among the documents, the root and retriever do not."""
    first = last_question(said.first)
    if said.chain_given and (asked := last_question(said.chain_given)):
        return first if first and first != asked and _spoke(said.chain_given, first) else asked
    if context and story.groups and len(story.nodes) > 1:
        for node in story.nodes:
            if node.role == "retrieval" and (asked := node.dialect.query(node)):
                return asked
    return first or last_question(said.given)


def _spoke(transcript: list[Message] | None, text: str) -> bool:
    """Whether a transcript holds a user's words earlier: what follows, such as a retry, is then the agent's own."""
    return any(item.role == "user" and item.text == text for item in transcript or ())


def _documents(story: Story, group: list[Node], asked: list[Message] | None) -> list[Document]:
    """Return what the retrievers gave, or a reranker after them, each document once; else those in the prompt."""
    found: list[Document] = []
    for node in story.nodes if len(story.nodes) > 1 else ():
        if node.role == "retrieval" and (read := node.dialect.documents(node)):
            found = read if node.dialect.reranks(node) else [*found, *read]
    if found:
        return list({(item.id, item.text): item for item in found}.values())
    for node in group:
        if read := node.dialect.documents(node):
            return read
    found = [item for turn in asked or () for item in turn.documents]
    for node in story.nodes if not found else ():
        if node.role == "chain" and (read := node.dialect.passed(node)):
            return read
    return found or templates.documents(last_question(asked))


def _finish(group: list[Node], reply: Message | None) -> str | None:
    """Return how the call ended: by its message and by an attribute, the more serious where they differ."""
    told = finish_reason(reply.finish_reason) if reply is not None and reply.finish_reason else None
    for node in group:
        if (found := finish_reason(node.pick(node.dialect.finish))) is not None:
            return worse(told, found)
    return told


def _format(group: list[Node], outer: Node | None) -> Format:
    """Return what form was asked for; the root may hold the schema that the model call lacks."""
    asked = group[0].dialect.format(group[0])
    if len(group) == 1 and outer is None:
        return asked
    for node in group[1:] if outer is None else [*group[1:], outer]:
        if asked.schema is not None:
            break
        other = node.dialect.format(node)
        asked = Format(asked.json or other.json, other.schema)
    return asked


def _tools(story: Story, group: list[Node], outer: Node | None) -> tuple[ToolDefinition, ...]:
    if len(story.nodes) == 1:
        return tuple(group[0].dialect.tools(group[0]))
    for node in chain(group, chain.from_iterable(story.groups), () if outer is None else (outer,)):
        if found := node.dialect.tools(node):
            return tuple(found)
    return ()


def _tool_results(story: Story, said: _Said) -> tuple[tuple[str, ...], int]:
    """Return what the tools returned, and how many of them failed: by their spans, else by messages."""
    told, errors = recent_results(said.given)
    if len(story.nodes) == 1:
        return told, errors
    found: list[str] = []
    failures = 0
    for node in story.nodes:
        if node.role == "tool":
            value = node.pick(node.dialect.tool_result)
            found.extend(node.dialect.results(node) if value is None else (result_text(value),))
            failures += facts.failed(node)
    return tuple(found) or told, max(failures, errors)
