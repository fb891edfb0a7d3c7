"""The kinds of panels that the dashboards are made of, and how each looks. Knows Grafana's options, no metric."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .grafana import GrafanaPanel, Json, Query, override

RATIO: Final = "percentunit"
COUNT: Final = "locale"
"""A whole number, with the separators of the reader's language."""
RED, ORANGE, YELLOW, GREEN = "dark-red", "dark-orange", "dark-yellow", "dark-green"
GREY, BLUE = "#5a6270", "blue"

_LINES: Final[Json] = {
    "drawStyle": "line",
    "lineInterpolation": "linear",
    "lineWidth": 2,
    "fillOpacity": 0,
    "showPoints": "never",
    "spanNulls": False,
    "axisPlacement": "auto",
    "stacking": {"mode": "none", "group": "A"},
}


_SMALLEST: Final[Json] = {"axisSoftMax": 0.01}
"""Without it, Grafana draws an axis to 10,000 % where all ratios are 0."""

_NO_LEGEND: Final[Json] = {"legend": True, "tooltip": False, "viz": False}
"""Where a series is hidden that only belongs to another."""

_CALCULATED: Final = {"lastNotNull": "Last *", "sum": "Total"}
"""What Grafana calls the columns of a legend."""


def graph(
    number: int,
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    width: int = 12,
    height: int = 8,
    overrides: Sequence[Json] = (),
    values: Sequence[str] = (),
    stacked: bool = False,
    interval: str = "",
    repeat: str = "",
    empty: str = "no data",
    links: Sequence[Json] = (),
) -> GrafanaPanel:
    """Lines over time; with ``values`` (such as lastNotNull) the legend is a table of them, sorted by the first.

    ``empty`` is what is shown where there is no series; ``links`` are those of every line.
    """
    bars = {"drawStyle": "bars", "fillOpacity": 60, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}}
    legend = {"showLegend": True, "displayMode": "list", "placement": "bottom"}
    if values:
        legend |= {"displayMode": "table", "placement": "right", "sortBy": _CALCULATED[values[0]], "sortDesc": True}
    return GrafanaPanel(
        id=number,
        kind="timeseries",
        title=title,
        description=description,
        queries=queries,
        unit=unit,
        width=width,
        height=height,
        options={
            "legend": {**legend, "calcs": list(values)},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        field={
            "noValue": empty,
            "min": 0,
            "color": {"mode": "palette-classic"},
            "custom": {**_LINES, **(bars if stacked else {}), **(_SMALLEST if unit == RATIO else {})},
            **({"links": list(links)} if links else {}),
        },
        overrides=overrides,
        interval=interval,
        repeat=repeat,
    )


def tiles(
    number: int,
    title: str,
    description: str,
    *queries: Query,
    unit: str,
    width: int = 4,
    height: int = 4,
    colour: str = "",
    text: str = "auto",
    steps: Sequence[tuple[float | None, str]] = (),
    overrides: Sequence[Json] = (),
    mappings: Sequence[Json] = (),
    decimals: int | None = None,
) -> GrafanaPanel:
    """The last value of each series, large; ``colour`` fills the tile with the colour of the value."""
    found = [{"value": value, "color": paint} for value, paint in steps or [(None, "text")]]
    return GrafanaPanel(
        id=number,
        kind="stat",
        title=title,
        description=description,
        queries=queries,
        unit=unit,
        width=width,
        height=height,
        options={
            "colorMode": colour or "value",
            "graphMode": "none",
            "justifyMode": "center",
            "orientation": "auto",
            "textMode": text,
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
        field={
            "color": {"mode": "thresholds"},
            "thresholds": {"mode": "absolute", "steps": found},
            "mappings": list(mappings),
            **({} if decimals is None else {"decimals": decimals}),
        },
        overrides=overrides,
    )


class Column:
    """A column of a table: the label it shows, or the query (by its letter) whose value it shows."""

    def __init__(self, source: str, name: str, **properties: Any) -> None:
        self.source, self.name = source, name
        numbers = {"unit": COUNT, "decimals": 0, "custom__width": max(70, 9 * len(name) + 26)}
        self.properties = {"noValue": "-", **(numbers if source.isupper() else {}), **properties}

    def field(self, queries: int) -> str:
        """What Grafana calls the column of a table of so many queries before it is renamed."""
        if self.source.isupper():
            return f"Value #{self.source}" if queries > 1 else "Value"
        return self.source


def table(
    number: int,
    title: str,
    description: str,
    columns: Sequence[Column],
    *queries: Query,
    sort: str,
    rising: bool = False,
    hidden: Sequence[str] = (),
    width: int = 24,
    height: int = 8,
    empty: str = "no data",
) -> GrafanaPanel:
    """One row for each set of labels, one column for each label and query, the highest ``sort`` first (or last)."""
    fields = [column.field(len(queries)) for column in columns]
    organise = {
        "indexByName": {field: number for number, field in enumerate(fields)},
        "renameByName": {field: column.name for field, column in zip(fields, columns, strict=True)},
        "excludeByName": dict.fromkeys(["Time", *hidden], True),
    }
    return GrafanaPanel(
        id=number,
        kind="table",
        title=title,
        description=description,
        queries=[Query(query.expr, instant=True, format="table") for query in queries],
        unit="short",
        width=width,
        height=height,
        options={"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": sort, "desc": not rising}]},
        field={"noValue": empty, "custom": {"align": "auto", "filterable": False, "inspect": False}},
        overrides=[override("byName", column.name, **column.properties) for column in columns],
        transformations=[
            {"id": "merge", "options": {}},
            {"id": "organize", "options": organise},
        ],
    )


def heat(
    number: int, title: str, description: str, query: Query, width: int = 12, height: int = 8, repeat: str = ""
) -> GrafanaPanel:
    """A histogram over time."""
    return GrafanaPanel(
        id=number,
        kind="heatmap",
        title=title,
        description=description,
        queries=[Query(query.expr, legend="{{le}}", exemplars=query.exemplars, format="heatmap")],
        unit="short",
        width=width,
        height=height,
        options={
            "calculate": False,
            "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Blues", "scale": "exponential", "exponent": 0.5, "steps": 64},
            "exemplars": {"color": "orange"},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "le"},
            "tooltip": {"mode": "single", "yHistogram": True},
            "yAxis": {"axisPlacement": "left", "unit": "short"},
        },
        repeat=repeat,
    )


def painted(query: str, colour: str) -> Json:
    """One colour for whatever the query of this letter finds."""
    return override("byFrameRefID", query, color={"mode": "fixed", "fixedColor": colour})


def count_on_the_right(name: str = "n") -> Json:
    """How a series of numbers of events stands behind ratios: pale bars on an axis of their own."""
    return override(
        "byName",
        name,
        unit="short",
        color={"mode": "fixed", "fixedColor": "text"},
        custom__axisPlacement="right",
        custom__drawStyle="bars",
        custom__fillOpacity=8,
        custom__lineWidth=0,
        custom__axisGridShow=False,
    )


def line(pattern: str, colour: str, dash: Sequence[int] = (8, 6), width: int = 1, *, named: bool = True) -> Json:
    """How the series whose names match are drawn: thin, dashed, in one colour; the legend has those ``named`` alone."""
    style = {"dash": list(dash), "fill": "dash"}
    paint = {"mode": "fixed", "fixedColor": colour}
    hidden = {} if named else {"custom__hideFrom": _NO_LEGEND}
    return override("byRegexp", f"/{pattern}/", color=paint, custom__lineStyle=style, custom__lineWidth=width, **hidden)


def band(low: str, high: str, colour: str = BLUE) -> list[Json]:
    """The space between two series, filled."""
    paint: Mapping[str, Any] = {"mode": "fixed", "fixedColor": colour}
    return [
        override("byName", low, color=paint, custom__lineWidth=0, custom__hideFrom=_NO_LEGEND),
        override(
            "byName",
            high,
            color=paint,
            custom__lineWidth=0,
            custom__hideFrom=_NO_LEGEND,
            custom__fillBelowTo=low,
            custom__fillOpacity=18,
        ),
    ]
