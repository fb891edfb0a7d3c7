"""Pieces of annotation templates: what Prometheus looks up when an alert fires. Knows its template language.

A query names its arguments by number (``%[1]q``), so that it may use one twice and that more can follow.
"""

from collections.abc import Sequence
from typing import Final

ALERT: Final = "$labels."
ROW: Final = ".Labels."
"""Whose labels a query is asked with: the alert's, or those of the row of a query around it."""


def matchers(names: Sequence[str], *more: str) -> str:
    """Matchers that pick the series with the values of these labels: the first name is the query's first argument."""
    return "{" + ",".join([f"{name}=%[{number}]q" for number, name in enumerate(names, 1)] + [*more]) + "}"


def query(expr: str, names: Sequence[str], whose: str = ALERT) -> str:
    """What asks for an expression with ``matchers(names)`` in it."""
    return f"printf `{expr}` {' '.join(whose + name for name in names)} | query"


def shown(expr: str, names: Sequence[str], how: str, whose: str = ALERT) -> str:
    """The value of the first series that an expression finds, piped into ``how``; nothing where it finds none."""
    return f"{{{{ with {query(expr, names, whose)} }}}}{{{{ . | first | value | {how} }}}}{{{{ end }}}}"


def count(series: str, names: Sequence[str], whose: str = ALERT) -> str:
    """The value of the series with the values of these labels, as a whole number."""
    return shown(series + matchers(names), names, 'printf "%.0f"', whose)
