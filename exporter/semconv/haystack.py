"""Haystack's own tracer (2.x): inputs and outputs of pipelines, components and agents as JSON, if content is traced."""

from collections.abc import Iterator
from typing import Any

from ..model.trace import Document, Span, ToolDefinition
from . import loose
from .embedded import inside
from .messages import Message
from .node import UNASKED, Dialect, Fields, Format, Node, Role, UsageFields
from .recognition import Recognition, Teller

_LLM_OUTPUTS = ("haystack.component.output", "haystack.agent.step.llm.output")
_INPUTS = (
    "haystack.component.input",
    "haystack.agent.step.llm.input",
    "haystack.agent.input",
    "haystack.pipeline.input_data",
)
_OUTPUTS = (*_LLM_OUTPUTS, "haystack.agent.output", "haystack.pipeline.output_data")
MARKS = ("haystack.component.type", "haystack.agent.step.llm.input", "haystack.tool.name")
CHAINS = (
    "haystack.pipeline.metadata",
    "haystack.pipeline.input_data",
    "haystack.agent.max_steps",
    "haystack.agent.input",
)


def _of_reply(*keys: str) -> tuple[str, ...]:
    """Return where a generator tells something of its first reply: in the reply, or beside it."""
    return tuple(
        f"{name}#{place}.{key}" for key in keys for name in _LLM_OUTPUTS for place in ("replies.0.meta", "meta.0")
    )


def role(span: Span, names: frozenset[str]) -> Role:
    """Return what a span of Haystack's is: components go by their type."""
    if "haystack.tool.name" in names:
        return "tool"
    if "haystack.agent.step.llm.input" in names:
        return "generation"
    kind = span.attributes.get("haystack.component.type")
    if type(kind) is not str:
        return "chain"
    if kind.endswith("Generator"):
        return "generation"
    if "Retriever" in kind or "Ranker" in kind:
        return "retrieval"
    return "chain" if kind == "Agent" else "ignored"


def _parts(value: Any) -> Iterator[Any]:
    """Yield the whole, then the parts for each component of a pipeline."""
    yield value
    if type(value) is dict:
        yield from value.values()


def inputs(node: Node) -> list[Message] | None:
    """Read what a generator, an agent or a pipeline was given; of a pipeline what its components were."""
    found = [asked for part in _parts(node.pick_parsed(_INPUTS)) if type(part) is dict and (asked := loose.asked(part))]
    return found[-1] if found else None


def outputs(node: Node) -> list[Message] | None:
    """Read the replies."""
    for part in _parts(node.pick_parsed(_OUTPUTS)):
        if type(part) is dict and (found := loose.replied(part)):
            return found
    return None


def documents(node: Node) -> list[Document]:
    """Read what a retriever or a ranker gave."""
    return loose.documents(node.parsed("haystack.component.output"))


def query(node: Node) -> str | None:
    """Return what was searched for."""
    value = inside(node.parsed("haystack.component.input"), "query")
    return value if type(value) is str else None


def tools(node: Node) -> list[ToolDefinition]:
    """Read the tools that the model was offered."""
    offered = node.pick(
        ("haystack.agent.step.llm.input#tools", "haystack.component.input#tools", "haystack.agent.tools")
    )
    items = offered if type(offered) is list else ()
    return [tool for item in items if (tool := loose.tool_definition(inside(item, "data") or item))]


def format_of(node: Node) -> Format:
    """Read the response format among the parameters of the call."""
    asked = inside(node.pick_parsed(_INPUTS), "generation_kwargs")
    return loose.requested(asked) or UNASKED


DIALECT = Dialect(
    name="haystack",
    fields=Fields(request_model=(), response_model=_of_reply("model"), response_id=_of_reply("id")),
    provider=(),
    finish=_of_reply("finish_reason", "stop_reason"),
    usage=UsageFields(
        input_tokens=_of_reply("usage.prompt_tokens", "usage.input_tokens"),
        output_tokens=_of_reply("usage.completion_tokens", "usage.output_tokens"),
        cache_read=_of_reply("usage.prompt_tokens_details.cached_tokens", "usage.cache_read_input_tokens"),
        cache_write=_of_reply("usage.cache_creation_input_tokens"),
    ),
    inputs=inputs,
    outputs=outputs,
    format=format_of,
    documents=documents,
    query=query,
    reranks=lambda node: "Ranker" in str(node.get("haystack.component.type")),
    tools=tools,
    tool_name=("haystack.tool.name",),
    tool_arguments=("haystack.agent.step.tool.input",),
    tool_result=("haystack.agent.step.tool.output",),
)


RECOGNITION = Recognition(
    marks=frozenset(MARKS + CHAINS), teller=lambda _names: Teller(lambda span, names: (DIALECT, role(span, names)))
)
