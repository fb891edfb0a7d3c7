"""The variables and annotations that dashboards share, so that links between them keep what was chosen."""

from typing import Final

from .grafana import Mark, Variable
from .queries import CHOSEN

APP: Final = Variable(name="app", label="App", query="label_values(llmq_requests_total, app)")
ROUTE: Final = Variable(name="route", label="Route", query='label_values(llmq_requests_total{app=~"$app"}, route)')
MODEL_VERSION: Final = Variable(
    name="model_version",
    label="Model version",
    query='label_values(llmq_requests_total{app=~"$app",route=~"$route"}, model_version)',
)
PROMPT_VERSION: Final = Variable(
    name="prompt_version",
    label="Prompt version",
    query='label_values(llmq_requests_total{app=~"$app",route=~"$route"}, prompt_version)',
)
SLICE: Final = (APP, ROUTE, MODEL_VERSION, PROMPT_VERSION)

FIRST_SEEN: Final = Mark(
    name="New version",
    expr=(
        "min by (app, model_version, prompt_version) "
        f"(llmq_version_first_seen_timestamp_seconds{{{','.join(CHOSEN)}}}) * 1000"
    ),
    title="{{app}}: prompt {{prompt_version}} with model {{model_version}}",
    tags="app,model_version,prompt_version",
    colour="purple",
    value_is_time=True,
)
PAGES: Final = Mark(
    name="Page",
    expr='max by (alertname, sli, app, route) (ALERTS{alertstate="firing",severity="page",app=~"$app|"})',
    title="{{alertname}} {{sli}} {{app}} {{route}}",
    tags="alertname,sli,app,route",
    colour="red",
)
MARKS: Final = (FIRST_SEEN, PAGES)
