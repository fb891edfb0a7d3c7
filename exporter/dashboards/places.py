"""Where a dashboard looks: variables for the labels that Prometheus adds (cluster, namespace), read by every query.

Dashboards are written as if there were one environment. Here each gets a variable for each label, and each of its
selectors a matcher; All matches series without the label, too.
"""

import re
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from .grafana import Dashboard, GrafanaPanel, GrafanaRow, Query, Variable

_SAME_EVERYWHERE: Final = "sli:llmq_slo_"
"""Objectives and alert lines: recorded from the config, they have no place."""
_MATCHERS: Final = r'\{(?:[^{}"]|"(?:\\.|[^"\\])*")*\}'
_SERIES: Final = re.compile(
    rf"(?<![\w:}}])((?:(?:\w+|\$\{{\w+\}}):)?llmq_\w+(?::\w+(?:\$\w+)?)?|up|ALERTS(?:_FOR_STATE)?)\b(?!\()({_MATCHERS})?"
)


def placed(board: Dashboard, labels: Sequence[str], selector: str) -> Dashboard:
    """The dashboard with a variable for each label; ``selector`` holds matchers for all that is read."""
    variables = [_variable(label) for label in labels if label not in {one.name for one in board.variables}]
    matchers = ",".join([*(f'{one.name}=~"${one.name}"' for one in variables), *([selector] if selector else [])])
    if not matchers:
        return board
    return replace(
        board,
        variables=[*variables, *(replace(one, query=_read(one.query, matchers)) for one in board.variables)],
        content=[_part(part, matchers) for part in board.content],
        marks=[replace(mark, expr=_read(mark.expr, matchers)) for mark in board.marks],
    )


def _variable(label: str) -> Variable:
    source = "label_values(llmq_exporter_build_info, {})".format
    return Variable(name=label, label=label.replace("_", " ").capitalize(), query=source(label), all_value=".*")


def _part(part: GrafanaPanel | GrafanaRow, matchers: str) -> GrafanaPanel | GrafanaRow:
    if isinstance(part, GrafanaRow):
        return replace(part, panels=[_panel(panel, matchers) for panel in part.panels])
    return _panel(part, matchers)


def _panel(panel: GrafanaPanel, matchers: str) -> GrafanaPanel:
    return replace(panel, queries=[_query(query, matchers) for query in panel.queries])


def _query(query: Query, matchers: str) -> Query:
    return replace(query, expr=_read(query.expr, matchers))


def _read(expr: str, matchers: str) -> str:
    def add(found: re.Match[str]) -> str:
        if found[1].startswith(_SAME_EVERYWHERE):
            return found[0]
        given = found[2][1:-1] if found[2] else ""
        return f"{found[1]}{{{','.join(filter(None, [given, matchers]))}}}"

    return _SERIES.sub(add, expr)
