"""Dialects whose spans keep what they were given, and what they gave back, as loose JSON in two attributes."""

from ..model.trace import Document, ToolDefinition
from . import loose
from .embedded import inside
from .messages import Message
from .node import Dialect, Fields, Format, Node, UsageFields


def two_attributes(
    name: str,
    *,
    given: str,
    returned: str,
    fields: Fields,
    usage: UsageFields,
    provider: tuple[str, ...],
    tools: str,
    tool_name: tuple[str, ...],
    is_exact: bool = False,
) -> Dialect:
    """A dialect with these two attributes; ``tools``: the one with the definitions of tools.

    ``is_exact``: where a model's output is in no known form it is the text as sent.
    """

    def inputs(node: Node) -> list[Message] | None:
        return loose.asked(node.parsed(given))

    def outputs(node: Node) -> list[Message] | None:
        data = node.parsed(returned)
        found = loose.replied(data)
        return found or loose.said(node.get(returned), data) if is_exact and node.role == "generation" else found

    def documents(node: Node) -> list[Document]:
        return loose.documents(node.get(returned))

    def query(node: Node) -> str | None:
        asked = inputs(node)
        return asked[-1].text if asked else None

    def definitions(node: Node) -> list[ToolDefinition]:
        value = node.pick((tools, f"{given}#tools"))
        return loose.tool_definitions(value) if value is not None else []

    def requested(node: Node) -> Format:
        asked = inside(node.parsed(given), "response_format")
        return Format() if asked is None else loose.response_format(asked)

    return Dialect(
        name=name,
        fields=fields,
        provider=provider,
        finish=("gen_ai.response.finish_reasons",),
        usage=usage,
        inputs=inputs,
        outputs=outputs,
        format=requested,
        documents=documents,
        query=query,
        tools=definitions,
        tool_name=tool_name,
        tool_arguments=(given,),
        tool_result=(returned,),
    )
