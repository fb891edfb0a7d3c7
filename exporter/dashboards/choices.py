"""The variables and annotations that dashboards share, so that links between them keep what was chosen."""

from typing import Final

from ..rules.promql import selector
from .grafana import Annotation, Variable
from .queries import CHOSEN

APP: Final = Variable(name="app", label="App", query="label_values(llmq_requests_total, app)")
ROUTE: Final = Variable(name="route", label="Route", query='label_values(llmq_requests_total{app=~"$app"}, route)')

PAGES: Final = Annotation(
    name="Page",
    expr='max by (alertname, sli, app, route) (ALERTS{alertstate="firing",severity="page",app=~"$app|"})',
    title="{{alertname}} {{sli}} {{app}} {{route}}",
    tags="alertname,sli,app,route",
    colour="red",
)


def versions(*chosen: str) -> tuple[Variable, Variable]:
    """The model and the prompt versions of what is chosen."""
    source = selector("llmq_requests_total", *chosen)
    return (
        Variable(name="model_version", label="Model version", query=f"label_values({source}, model_version)"),
        Variable(name="prompt_version", label="Prompt version", query=f"label_values({source}, prompt_version)"),
    )


def marks(*chosen: str) -> tuple[Annotation, Annotation]:
    """When versions of what is chosen were first seen, and when pages fired."""
    first_seen = selector("llmq_version_first_seen_timestamp_seconds", *chosen)
    return (
        Annotation(
            name="New version",
            expr=f"min by (app, model_version, prompt_version) ({first_seen}) * 1000",
            title="{{app}}: prompt {{prompt_version}} with model {{model_version}}",
            tags="app,model_version,prompt_version",
            colour="purple",
            value_is_time=True,
        ),
        PAGES,
    )


SLICE: Final = (APP, ROUTE, *versions(*CHOSEN[:2]))
MARKS: Final = marks(*CHOSEN)
