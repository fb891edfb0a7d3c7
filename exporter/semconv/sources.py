"""Which attributes to try for the fields that teams name themselves; knows nothing of how they are resolved."""

from msgspec import Struct


class Sources(Struct, frozen=True, kw_only=True):
    """For each field the attribute names to try, in order, on the spans and then on the resource.

    A name ``attribute#key`` looks inside the JSON object that the attribute holds.
    """

    app: tuple[str, ...] = ("service.name", "gen_ai.application_name")
    route: tuple[str, ...] = (
        "app.route",
        "http.route",
        "langfuse.trace.name",
        "traceloop.workflow.name",
        "gen_ai.workflow.name",
        "ai.telemetry.functionId",
        "gen_ai.agent.name",
        "agent_name",
    )
    prompt_version: tuple[str, ...] = (
        "gen_ai.prompt.version",
        "langfuse.observation.prompt.version",
        "langfuse.prompt.version",
        "traceloop.prompt.version",
        "traceloop.prompt.version_name",
        "traceloop.prompt.version_hash",
        "llm.prompt_template.version",
        "app.prompt.version",
        "prompt.version",
        "prompt_version",
        "ai.telemetry.metadata.promptVersion",
        "ai.settings.context.promptVersion",
        "metadata#prompt_version",
        "traceloop.association.properties.prompt_version",
        "langsmith.metadata.prompt_version",
        "langfuse.trace.metadata.prompt_version",
        "service.version",
        "langfuse.release",
    )
    prompt_name: tuple[str, ...] = (
        "gen_ai.prompt.name",
        "langfuse.observation.prompt.name",
        "langfuse.prompt.name",
        "traceloop.prompt.key",
        "prompt.id",
        "ai.telemetry.functionId",
        "gen_ai.agent.name",
        "agent_name",
    )
    conversation: tuple[str, ...] = (
        "langfuse.session.id",
        "session.id",
        "langwatch.thread.id",
        "traceloop.association.properties.session_id",
        "traceloop.association.properties.thread_id",
        "traceloop.association.properties.chat_id",
        "langsmith.metadata.session_id",
        "langsmith.metadata.thread_id",
        "ai.telemetry.metadata.sessionId",
        "ai.settings.context.sessionId",
        "metadata#session_id",
        "metadata#thread_id",
        "mlflow.trace.session",
        "langfuse.trace.metadata.session_id",
        "langfuse.trace.metadata.thread_id",
        "gen_ai.conversation.id",
        "gcp.vertex.agent.session_id",
        "mastra.metadata.threadId",
        "mastra.metadata.sessionId",
    )
    user: tuple[str, ...] = (
        "user.id",
        "enduser.id",
        "langfuse.user.id",
        "traceloop.association.properties.user_id",
        "langsmith.metadata.user_id",
        "ai.telemetry.metadata.userId",
        "ai.settings.context.userId",
        "metadata#user_id",
        "langfuse.trace.metadata.user_id",
        "llm.user",
        "gen_ai.request.user",
        "mastra.metadata.userId",
        "enduser.pseudo.id",
    )
    environment: tuple[str, ...] = (
        "deployment.environment.name",
        "deployment.environment",
        "langfuse.environment",
        "gen_ai.environment",
    )
