"""MLflow spans (3.17): every attribute value is JSON, also the plain strings."""

from .node import Fields, Role, UsageFields
from .recognition import by_kind
from .two_attributes import two_attributes

FIELDS = Fields(
    request_model=("mlflow.llm.model", "mlflow.spanInputs#model", "gen_ai.request.model"),
    response_model=("mlflow.spanOutputs#model", "gen_ai.response.model"),
    response_id=("mlflow.spanOutputs#id", "gen_ai.response.id"),
)
USAGE = UsageFields(
    input_tokens=("mlflow.chat.tokenUsage#input_tokens", "gen_ai.usage.input_tokens"),
    output_tokens=("mlflow.chat.tokenUsage#output_tokens", "gen_ai.usage.output_tokens"),
)
DIALECT = two_attributes(
    "mlflow",
    given="mlflow.spanInputs",
    returned="mlflow.spanOutputs",
    fields=FIELDS,
    usage=USAGE,
    provider=("mlflow.llm.provider", "gen_ai.provider.name", "gen_ai.system"),
    tools="mlflow.chat.tools",
    tool_name=("mlflow.spanFunctionName", "mlflow.spanName"),
    is_exact=True,
)
_ROLES: dict[str, Role] = {
    "LLM": "generation",
    "CHAT_MODEL": "generation",
    "RETRIEVER": "retrieval",
    "RERANKER": "retrieval",
    "TOOL": "tool",
    "AGENT": "chain",
    "CHAIN": "chain",
    "WORKFLOW": "chain",
    "UNKNOWN": "chain",
}
RECOGNITION = by_kind("mlflow.spanType", DIALECT, _ROLES)
