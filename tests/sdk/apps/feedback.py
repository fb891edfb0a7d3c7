"""Sends feedback with the SDK of one tool, as its documentation shows: python feedback.py TOOL UP DOWN.

UP and DOWN are trace ids, 32 hexadecimal digits each.
"""

import sys
from uuid import UUID, uuid4


def langfuse(up, down):
    from langfuse import Langfuse

    client = Langfuse()
    client.create_score(trace_id=up, name="user-feedback", value=1, data_type="BOOLEAN", comment="well said")
    client.create_score(trace_id=down, name="user-feedback", value="thumbs_down", data_type="CATEGORICAL")
    client.flush()


def phoenix(up, down):
    from phoenix.client import Client

    client = Client()
    client.traces.add_trace_annotation(
        trace_id=up, annotation_name="user_feedback", annotator_kind="HUMAN", score=1, explanation="well said"
    )
    client.spans.add_span_annotation(
        span_id="00f067aa0ba902b7",
        annotation_name="correctness",
        annotator_kind="HUMAN",
        label="thumbs-down",
        metadata={"trace_id": down},
        sync=True,
    )


def langsmith(up, down):
    from langsmith import Client

    client = Client()
    client.create_feedback(run_id=UUID(up), key="user_score", score=1, comment="well said")
    client.create_feedback(run_id=uuid4(), trace_id=UUID(down), key="user_score", score=0)
    client.flush()


def mlflow(up, down):
    import mlflow
    from mlflow.entities import AssessmentSource

    person = AssessmentSource(source_type="HUMAN", source_id="ada")
    mlflow.log_feedback(trace_id=f"tr-{up}", name="helpful", value=True, rationale="well said", source=person)
    mlflow.log_feedback(trace_id=f"tr-{down}", name="helpful", value=False, source=person)


if __name__ == "__main__":
    tool, up, down = sys.argv[1:]
    globals()[tool](up, down)
