"""LangSmith's OTel export (0.15): the run's inputs and outputs as JSON in two attributes."""

from .node import Fields, Role, UsageFields
from .recognition import by_kind
from .two_attributes import two_attributes

FIELDS = Fields(
    request_model=("gen_ai.request.model", "langsmith.metadata.ls_model_name"),
    response_model=("gen_ai.response.model", "gen_ai.completion#model"),
    response_id=("gen_ai.response.id", "gen_ai.completion#id"),
)
USAGE = UsageFields(
    input_tokens=("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    output_tokens=("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
)
DIALECT = two_attributes(
    "langsmith",
    given="gen_ai.prompt",
    returned="gen_ai.completion",
    fields=FIELDS,
    usage=USAGE,
    provider=("gen_ai.provider.name", "gen_ai.system", "langsmith.metadata.ls_provider"),
    tools="gen_ai.tool.definitions",
    tool_name=("gen_ai.tool.name", "langsmith.trace.name"),
)
_ROLES: dict[str, Role] = {"llm": "generation", "retriever": "retrieval", "tool": "tool", "chain": "chain"}
RECOGNITION = by_kind("langsmith.span.kind", DIALECT, _ROLES)
