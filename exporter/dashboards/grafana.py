"""Dashboards as data → Grafana's classic JSON: panels, places, variables, links. Knows Grafana, no metric."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from msgspec import Struct

Json = dict[str, Any]
SCHEMA_VERSION: Final = 42
COLUMNS: Final = 24
DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}


class Query(Struct, frozen=True):
    """One PromQL expression; an ``instant`` one is asked for the end of the time range only."""

    expr: str
    legend: str = "__auto"
    instant: bool = False
    exemplars: bool = False
    format: str = "time_series"


class GrafanaPanel(Struct, frozen=True, kw_only=True):
    """One panel; ``id`` stays what it is for ever, because links name it. Queries are called A, B, C … in order."""

    id: int
    kind: str
    title: str
    description: str
    queries: Sequence[Query]
    unit: str
    width: int
    height: int
    options: Mapping[str, Any]
    field: Mapping[str, Any] = {}
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()
    interval: str = ""
    repeat: str = ""


class GrafanaRow(Struct, frozen=True):
    """A titled row of panels."""

    id: int
    title: str
    panels: Sequence[GrafanaPanel]


class Variable(Struct, frozen=True, kw_only=True):
    """A variable with the values that a query finds, or with a fixed list of them; ``every`` means several and All.

    All is ``all_value`` in a query, or without it every value that was found. ``sort`` is Grafana's: 0 leaves the order
    of the query, 1 is alphabetical.
    """

    name: str
    label: str
    query: str = ""
    values: Sequence[str] = ()
    default: str = ""
    every: bool = True
    all_value: str = ".+"
    hidden: bool = False
    regex: str = ""
    sort: int = 1


class Annotation(Struct, frozen=True, kw_only=True):
    """An annotation; ``value_is_time`` where the series' value is the time to mark, in milliseconds."""

    name: str
    expr: str
    title: str
    tags: str
    colour: str
    value_is_time: bool = False


class Dashboard(Struct, frozen=True, kw_only=True):
    """A whole dashboard; panels flow from left to right into rows of 24 columns."""

    uid: str
    title: str
    description: str
    variables: Sequence[Variable]
    content: Sequence[GrafanaPanel | GrafanaRow]
    marks: Sequence[Annotation] = ()
    since: str = "now-6h"

    def carries(self) -> list[str]:
        """The names of the variables that a link to this dashboard may set."""
        return [variable.name for variable in self.variables if not variable.hidden]


def document(board: Dashboard, others: Sequence[Dashboard]) -> Json:
    """The dashboard as Grafana reads it from a file, with links to the other ones."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["llmq"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": board.since, "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_annotation(mark) for mark in board.marks]},
        "links": [_link(board, other) for other in others if other.uid != board.uid],
        "templating": {"list": [_DATASOURCES, *(_variable(one) for one in board.variables)]},
        "panels": list(_placed(board.content)),
    }


def address(uid: str, values: Mapping[str, str]) -> str:
    """The address of a dashboard with variables set, for the link of a table's cell; it keeps the time range."""
    pairs = [f"var-{name}={value}" for name, value in values.items()]
    return f"/d/{uid}?" + "&".join([*pairs, "${datasource:queryparam}", "${__url_time_range}"])


def bad_answers(base: str, values: Mapping[str, str], chosen: Sequence[str] = ()) -> Json:
    """The link to the bad answers behind a cell or a line, in the time range; ``base`` is the address of /answers.

    ``chosen`` are variables to take over, written as ``var-…``: several values and All included, as /answers knows.
    """
    given = [f"{name}={value}" for name, value in values.items()]
    taken = [f"${{{name}:queryparam}}" for name in chosen if name not in values]
    url = f"{base}?" + "&".join([*given, *taken, "from=${__from}", "to=${__to}"])
    return {"title": "Bad answers", "url": url, "targetBlank": True}


def of_line(name: str) -> str:
    """The value of a label of the line that was chosen, as a part of an address."""
    return f"${{__field.labels.{name}:percentencode}}"


def cell(column: str) -> str:
    """The value that a row of a table has in a column, as a part of an address."""
    return f'${{__data.fields["{column}"]:percentencode}}'


def _link(board: Dashboard, other: Dashboard) -> Json:
    shared = [name for name in board.carries() if name in other.carries()]
    query = "&".join(f"${{{name}:queryparam}}" for name in ["datasource", *shared])
    return {
        "type": "link",
        "title": other.title.removeprefix("LLM quality / "),
        "tooltip": other.description,
        "icon": "dashboard",
        "url": f"/d/{other.uid}?{query}",
        "keepTime": True,
        "includeVars": False,
        "targetBlank": False,
        "asDropdown": False,
        "tags": [],
    }


_DATASOURCES: Final[Json] = {
    "name": "datasource",
    "label": "Data source",
    "type": "datasource",
    "query": "prometheus",
    "refresh": 1,
    "hide": 0,
    "multi": False,
    "includeAll": False,
    "options": [],
    "current": {},
}


def _variable(variable: Variable) -> Json:
    shared: Json = {
        "name": variable.name,
        "label": variable.label,
        "hide": 2 if variable.hidden else 0,
        "multi": variable.every,
        "includeAll": variable.every,
        **({"allValue": variable.all_value} if variable.all_value and variable.every else {}),
        **({"current": {"text": ["All"], "value": ["$__all"]}} if variable.every else {}),
    }
    if variable.values:
        default = variable.default or variable.values[0]
        options = [{"text": value, "value": value, "selected": value == default} for value in variable.values]
        current = {"text": default, "value": default}
        return {**shared, "type": "custom", "query": ",".join(variable.values), "options": options, "current": current}
    if variable.default:
        shared["current"] = {"text": variable.default, "value": variable.default}
    return {
        **shared,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": variable.query,
        "query": {"query": variable.query, "refId": variable.name},
        "regex": variable.regex,
        "refresh": 2,
        "sort": variable.sort,
    }


def _annotation(mark: Annotation) -> Json:
    return {
        "name": mark.name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": mark.colour,
        "expr": mark.expr,
        "step": "60s",
        "titleFormat": mark.title,
        "tagKeys": mark.tags,
        **({"useValueForTime": "on"} if mark.value_is_time else {}),
    }


def _placed(content: Sequence[GrafanaPanel | GrafanaRow]) -> Iterator[Json]:
    flat: Iterator[GrafanaPanel | GrafanaRow] = chain.from_iterable(
        [part, *part.panels] if isinstance(part, GrafanaRow) else [part] for part in content
    )
    x = y = tallest = 0
    for part in flat:
        width, height = (COLUMNS, 1) if isinstance(part, GrafanaRow) else (part.width, part.height)
        if x + width > COLUMNS or isinstance(part, GrafanaRow):
            x, y, tallest = 0, y + tallest, 0
        place = {"x": x, "y": y, "w": width, "h": height}
        yield _row(part, place) if isinstance(part, GrafanaRow) else _panel(part, place)
        x, tallest = x + width, max(tallest, height)


def _row(row: GrafanaRow, place: Json) -> Json:
    return {"id": row.id, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(panel: GrafanaPanel, place: Json) -> Json:
    defaults = {"unit": panel.unit, "noValue": "no data", **panel.field}
    repeated = {"repeat": panel.repeat, "repeatDirection": "h", "maxPerRow": COLUMNS // panel.width}
    return {
        "id": panel.id,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": place,
        "targets": [_target(query, chr(ord("A") + number)) for number, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": list(panel.overrides)},
        "options": dict(panel.options),
        "transformations": list(panel.transformations),
        **({"interval": panel.interval} if panel.interval else {}),
        **(repeated if panel.repeat else {}),
    }


def _target(query: Query, ref: str) -> Json:
    return {
        "refId": ref,
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend,
        "format": query.format,
        "instant": query.instant,
        "range": not query.instant,
        "exemplar": query.exemplars,
    }


def override(matcher: str, value: str, **properties: Any) -> Json:
    """What the fields that match have otherwise; in the names of properties ``__`` stands for a dot."""
    found = [{"id": key.replace("__", "."), "value": wanted} for key, wanted in properties.items()]
    return {"matcher": {"id": matcher, "options": value}, "properties": found}


def link_cell(title: str, url: str) -> list[Json]:
    """The link of a table's cells."""
    return [{"title": title, "url": url, "targetBlank": False}]
