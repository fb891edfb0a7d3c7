"""One Trace from the spans and log records of a trace: every field from one source; knows no dialect's names."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

from msgspec import Struct

from ..trace import UNKNOWN, ContentState, Document, LogRecord, Span, ToolCall, ToolDefinition, Trace
from . import langfuse, langsmith, mlflow, openinference, otel, traceloop, vercel
from .embedded import bounded, count, label, parsed, pick
from .finish import finish_reason
from .messages import (
    Message,
    first_choice,
    last_question,
    last_reply,
    recent_results,
    result_text,
    system_text,
)
from .node import Dialect, Format, Node
from .sources import Sources
from .story import Story

_DIALECTS: dict[str, Dialect] = {
    module.DIALECT.name: module.DIALECT
    for module in (otel, openinference, traceloop, langfuse, vercel, langsmith, mlflow)
}
_FRAMEWORKS = frozenset({"strands-agents", "langchain", "langgraph", "crewai", "microsoft.agent_framework", "unknown"})
_LONGEST_ERROR = 200
_T = TypeVar("_T")


class _Said(Struct):
    """What the trace's calls were given and answered."""

    given: list[Message] | None = None
    first: list[Message] | None = None
    reply: Message | None = None
    chain_given: list[Message] | None = None
    chain_reply: Message | None = None
    calls: tuple[ToolCall, ...] = ()


def normalise(trace_id: bytes, spans: Sequence[Span], logs: Sequence[LogRecord], sources: Sources) -> Trace | None:
    """Return what one LLM request asked and was answered; None where nothing in the trace is one."""
    story = Story(spans, logs)
    if story.groups:
        group = max(story.groups, key=_ending) if len(story.groups) > 1 else story.groups[0]
        outer = story.chain_above(group[0])
    else:
        root = story.outermost_chain()
        if root is None or not _speaks(root):
            return None
        group, outer = [root], root
    return _trace(trace_id, story, group, outer, sources)


def _ending(group: list[Node]) -> tuple[int, int]:
    return group[0].span.end, group[0].span.start


def _dialect(node: Node) -> Dialect:
    return _DIALECTS[node.dialect]


def _speaks(root: Node) -> bool:
    dialect = _dialect(root)
    reply = last_reply(dialect.outputs(root))
    failed = _failed(root)
    return bool(dialect.inputs(root)) and (failed or (reply is not None and reply.speaks()))


def _trace(trace_id: bytes, story: Story, group: list[Node], outer: Node | None, sources: Sources) -> Trace:
    call = group[0]
    said = _said(story, group, outer)
    asked = _format(group, outer)
    answer, refusal = _answer(said, asked)
    context = _documents(story, group)
    finish = _finish(group, said.reply)
    state = _state(said, answer, refusal, finish, group, outer)
    places = story.near(call)
    request_model = _named(group, "request_model") or _elsewhere(story, "request_model")
    response_model = _named(group, "response_model") or _elsewhere(story, "response_model")
    inputs, outputs = _tokens(story)
    start, seconds = _times(story.spans)
    return Trace(
        trace_id=trace_id.hex(),
        app=_app(call, sources.app),
        route=_place(sources.route, places[::-1], call) or UNKNOWN,
        model_version=response_model or request_model or UNKNOWN,
        prompt_version=_place(sources.prompt_version, places, call) or UNKNOWN,
        prompt_name=_place(sources.prompt_name, places, call),
        request_model=request_model,
        provider=_provider(story, group),
        environment=_place(sources.environment, places, call),
        conversation_id=_place(sources.conversation, places, call),
        user=_place(sources.user, places, call),
        response_id=_named(group, "response_id"),
        dialect=call.dialect,
        content_state=state,
        question=_question(story, said, context),
        system_prompt=system_text(said.given) or system_text(said.chain_given),
        answer="" if state == "empty" else answer,
        refusal=refusal,
        context=tuple(context),
        tool_calls=said.calls,
        tool_definitions=_tools(story, group, outer),
        tool_results=_tool_results(story, said),
        json_requested=asked.json,
        response_schema=asked.schema,
        finish_reason=finish,
        input_tokens=inputs,
        output_tokens=outputs,
        started_at=start,
        duration_seconds=seconds,
        error=_error(group, outer),
    )


def _first(group: Sequence[Node], read: Callable[[Node], _T | None]) -> _T | None:
    """Return what the outermost of several accounts of one call says, else the next one's."""
    for node in group:
        if (found := read(node)) is not None:
            return found
    return None


def _given(node: Node) -> list[Message] | None:
    return _dialect(node).inputs(node)


def _replied(node: Node) -> Message | None:
    found = _dialect(node).outputs(node)
    return first_choice(found) if node.role == "generation" else last_reply(found)


def _said(story: Story, group: list[Node], outer: Node | None) -> _Said:
    said = _Said(given=_first(group, _given), reply=_first(group, _replied))
    said.first = said.given
    if len(story.groups) > 1:
        replies = [said.reply if other is group else _first(other, _replied) for other in story.groups]
        if story.groups[0] is not group:
            said.first = _first(story.groups[0], _given)
    else:
        replies = [said.reply]
    said.calls = _calls(replies) or _executed(story)
    if outer is not None and outer is not group[0]:
        said.chain_given, said.chain_reply = _given(outer), _replied(outer)
    return said


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
        if node.role == "tool" and (name := label(node.pick(_dialect(node).tool_name)) or node.span.name):
            arguments = bounded(parsed(node.pick(_dialect(node).tool_arguments)))
            found.append(ToolCall(name=name, arguments=arguments, id=label(node.pick(_dialect(node).tool_id))))
    return tuple(found)


def _answer(said: _Said, asked: Format) -> tuple[str | None, str | None]:
    """Return (answer, refusal): what the root showed, else what the model said last; JSON as the model wrote it."""
    reply, shown = said.reply, said.chain_reply
    if reply is not None and reply.refusal and not reply.text:
        return None, reply.refusal
    if shown is not None and shown.text and not (asked.json and reply is not None and reply.text):
        return shown.text, None
    if reply is not None and reply.text is not None:
        return reply.text, None
    return (None, shown.refusal) if shown is not None else (None, None)


def _state(
    said: _Said, answer: str | None, refusal: str | None, finish: str | None, group: list[Node], outer: Node | None
) -> ContentState:
    if refusal:
        return "refused"
    if answer:
        return "answered"
    reply = said.reply
    called = reply is not None and bool(reply.tool_calls)
    if _failed(group[0]) or (called and outer is not None and _failed(outer)):
        return "error"
    given = _captured(said.given) or _captured(said.chain_given)
    if called and reply is not None:
        return "answered" if given or _argued(reply) else "not_captured"
    if finish == "tool_call":
        return "not_captured"
    return "empty" if answer == "" or (given and _ended(said, finish, group)) else "not_captured"


def _captured(given: list[Message] | None) -> bool:
    return any(item.text or item.results or _argued(item) for item in given or ())


def _argued(item: Message) -> bool:
    return any(call.arguments is not None for call in item.tool_calls)


def _ended(said: _Said, finish: str | None, group: list[Node]) -> bool:
    """Whether the call is known to have come to an end: a stream's output may be in another trace."""
    return said.reply is not None or finish is not None or _counted(group, "output_tokens") is not None


def _counted(group: Sequence[Node], field: str) -> int | None:
    for node in group:
        if (found := count(node.pick(getattr(_DIALECTS[node.dialect].fields, field)))) is not None:
            return found
    return None


def _tokens(story: Story) -> tuple[int | None, int | None]:
    """Sum each model call once; a trace without any has what its root says."""
    groups = story.groups or [[node] for node in (story.outermost_chain(),) if node is not None]
    if len(groups) == 1:
        return _counted(groups[0], "input_tokens"), _counted(groups[0], "output_tokens")
    inputs = [value for group in groups if (value := _counted(group, "input_tokens")) is not None]
    outputs = [value for group in groups if (value := _counted(group, "output_tokens")) is not None]
    return (sum(inputs) if inputs else None), (sum(outputs) if outputs else None)


def _question(story: Story, said: _Said, context: list[Document]) -> str | None:
    """Return the user's own words: a RAG prompt repeats them among the documents, the root and retriever do not."""
    first = last_question(said.first)
    if asked := last_question(said.chain_given):
        return first if first and first != asked and _spoke(said.chain_given, first) else asked
    if context:
        for node in story.nodes:
            if node.role == "retrieval" and (asked := _dialect(node).query(node)):
                return asked
    return first or last_question(said.given)


def _spoke(transcript: list[Message] | None, text: str) -> bool:
    """Whether a transcript holds a user's words earlier: what follows, such as a retry, is then the agent's own."""
    return any(item.role == "user" and item.text == text for item in transcript or ())


def _documents(story: Story, group: list[Node]) -> list[Document]:
    """Return what the retrievers gave, or a reranker after them, each document once."""
    found: list[Document] = []
    for node in story.nodes:
        if node.role == "retrieval" and (read := _dialect(node).documents(node)):
            found = read if node.get("openinference.span.kind") == "RERANKER" else [*found, *read]
    if not found:
        for node in group:
            if found := _dialect(node).documents(node):
                return found
        return []
    return list({(item.id, item.text): item for item in found}.values())


def _finish(group: list[Node], reply: Message | None) -> str | None:
    if reply is not None and reply.finish_reason and (known := finish_reason(reply.finish_reason)):
        return known
    return _first(group, lambda node: finish_reason(node.pick(_dialect(node).fields.finish)))


def _format(group: list[Node], outer: Node | None) -> Format:
    """Return what form was asked for; the root may hold the schema that the model call lacks."""
    asked = _dialect(group[0]).format(group[0])
    for node in group[1:] if outer is None else [*group[1:], outer]:
        if asked.schema is not None:
            break
        other = _dialect(node).format(node)
        asked = Format(asked.json or other.json, other.schema)
    return asked


def _tools(story: Story, group: list[Node], outer: Node | None) -> tuple[ToolDefinition, ...]:
    candidates = [*group, *chain.from_iterable(story.groups)] if len(story.groups) > 1 else list(group)
    for node in candidates if outer is None else [*candidates, outer]:
        if found := _dialect(node).tools(node):
            return tuple(found)
    return ()


def _tool_results(story: Story, said: _Said) -> tuple[str, ...]:
    found: list[str] = []
    for node in story.nodes if len(story.nodes) > 1 else ():
        if node.role == "tool":
            value = node.pick(_dialect(node).tool_result)
            found.extend(_dialect(node).results(node) if value is None else (result_text(value),))
    return tuple(found) or recent_results(said.given)


def _named(nodes: Sequence[Node], field: str) -> str | None:
    for node in nodes:
        if (found := label(node.pick(getattr(_DIALECTS[node.dialect].fields, field)))) is not None:
            return found
    return None


def _elsewhere(story: Story, field: str) -> str | None:
    """Return a model that only another call, an agent or a chain names."""
    return _named([node for node in story.nodes if node.role in ("generation", "chain")], field)


def _provider(story: Story, group: list[Node]) -> str | None:
    """Return who ran the model; frameworks put their own names there too."""
    for node in chain(group, story.nodes if len(story.nodes) > 1 else ()):
        value = label(node.pick(_dialect(node).fields.provider))
        if value and value.lower() not in _FRAMEWORKS:
            return value.partition(".")[0] if node.dialect == "vercel" else value
    return None


def _app(call: Node, names: tuple[str, ...]) -> str:
    value = _place(names, (call.span,), call)
    return value if value and not value.startswith("unknown_service") else UNKNOWN


def _place(names: tuple[str, ...], places: Sequence[Span], call: Node) -> str | None:
    """Return a field that teams name themselves: each name in turn on spans and logs, then on the resource."""
    if len(places) == 1 and not call.logs:
        value = label(call.pick(names))
    else:
        scopes = [span.attributes for span in places]
        scopes.extend(record.attributes for record in call.logs)
        value = next((v for name in names for scope in scopes if (v := label(pick(scope, (name,))))), None)
    return value if value is not None else label(pick(call.span.resource, names))


def _times(spans: Sequence[Span]) -> tuple[float | None, float | None]:
    if len(spans) == 1:
        start, end = spans[0].start, spans[0].end
    else:
        start = min((span.start for span in spans if span.start), default=0)
        end = max(span.end for span in spans)
    return (start / 1e9, max(end - start, 0) / 1e9) if start else (None, None)


def _failed(node: Node) -> bool:
    return node.span.status_code == 2 or "error.type" in node.names or node.get("langfuse.observation.level") == "ERROR"


def _error(group: list[Node], outer: Node | None) -> str | None:
    """Return the error's type, or the first line of its message; never a stack."""
    for node in group if outer is None else [*group, outer]:
        if _failed(node):
            return _error_type(node) or _error_message(node) or "error"
    return None


def _error_type(node: Node) -> str | None:
    if (name := label(node.get("error.type"))) is not None:
        return name[:_LONGEST_ERROR]
    for event in node.span.events:
        if event.name == "exception" and (name := label(event.attributes.get("exception.type"))):
            return name[:_LONGEST_ERROR]
    return None


def _error_message(node: Node) -> str | None:
    text = node.span.status_message or label(node.get("langfuse.observation.status_message")) or ""
    return text.strip().partition("\n")[0][:_LONGEST_ERROR] or None
