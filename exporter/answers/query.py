"""The parameters of a request for answers → a Question; each error names its cure. Knows no store and no HTTP."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar, get_args

from msgspec import Struct

from ..config.units import duration
from ..feedback.derive import Derived
from ..model.score import Verdict
from ..recording.trace_document import FAILED_CALL, failed_by, signalled
from ..records.feedback import Signal as Explicit
from ..rules.slo import CoverageSli, Signal, Slo, VerdictsSli
from ..runtime.mismatch import closest
from ..store.search import COLUMNS, NEWEST, Place, Search

Pair = tuple[str, str]
_T = TypeVar("_T", bound=str)
MOST_ANSWERS: Final = 200
"""Of one page."""
_ANSWERS: Final = 50
_MOST_VALUES: Final = 50
"""Of all parameters of one request."""
_LONGEST: Final = 512
"""Characters of a value."""
_GRAFANA_ALL: Final = ("$__all", "All", ".*")
_VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
SIGNALS: Final[tuple[str, ...]] = tuple(dict.fromkeys((*get_args(Explicit), *get_args(Derived))))
_PARAMETERS: Final = (*COLUMNS, "sli", "evaluator", "verdict", "signal", "text", "from", "to", "limit", "after")
_SINGLE: Final = ("verdict", "text", "from", "to", "limit", "after")
_MILLISECONDS: Final = 1e11
"""A time beyond this is in milliseconds, as Grafana writes it: as seconds it would be in the year 5138."""
_RELATIVE: Final = re.compile(r"now(?:-(\w+))?\Z", re.ASCII)
_PLACE: Final = re.compile(r"(\d{1,12}(?:\.\d{1,20})?)_(\d{1,18})\Z", re.ASCII)
_ESCAPED: Final = frozenset('"\\')


class BadParameterError(Exception):
    """A parameter is invalid: its name, what is wrong, what would be right."""


class AnswerQuery(Struct, frozen=True, kw_only=True):
    """A query for answers: what the store searches by, and what is only in the document.

    ``evaluators`` and ``verdict``: one of them gave it; no evaluators: any failed it, or none did. ``text``: in lower
    case, occurs in the question, the answer, the refusal or a comment.
    """

    search: Search = Search()
    evaluators: tuple[str, ...] = ()
    verdict: Verdict | None = None
    text: str = ""
    limit: int = _ANSWERS
    after: Place = NEWEST


def question(pairs: Iterable[Pair], now: float, slos: Sequence[Slo] = ()) -> AnswerQuery:
    """The query of the parameters; ``now`` is Unix seconds. Raises BadParameterError."""
    given = _gathered(pairs)
    verdicts = [_one_of("verdict", one, _VERDICTS) for one in given["verdict"]]
    verdict = verdicts[0] if verdicts else None
    signals = [_one_of("signal", one, SIGNALS) for one in given["signal"]]
    text = _first(given["text"]).strip()
    evaluators = tuple(given["evaluator"])
    since, until = _time("from", given["from"], now, 0.0), _time("to", given["to"], now, math.inf)
    if since >= until:
        raise BadParameterError("from: must be before to")
    marks = [tuple(signalled(one) for one in signals)] if signals else []
    if verdict == "fail":
        marks.append(tuple(map(failed_by, evaluators or [""])))
    if given["sli"]:
        marks.append(tuple(mark for name in given["sli"] for mark in _bad(name, slos)))
    where = {name: tuple(given[name]) for name in COLUMNS if given[name]}
    return AnswerQuery(
        search=Search(where=where, marks=tuple(marks), since=since, until=until, pattern=_pattern(text)),
        evaluators=evaluators,
        verdict=verdict,
        text=text.lower(),
        limit=_limit(_first(given["limit"])),
        after=_place(_first(given["after"])),
    )


def written(place: Place) -> str:
    """A position as the parameter ``after``."""
    return f"{place[0]!r}_{place[1]}"


def _gathered(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """The values of every parameter; Grafana writes its variables with ``var-`` before them."""
    found: dict[str, list[str]] = {name: [] for name in _PARAMETERS}
    for count, (key, value) in enumerate(pairs):
        name = key.removeprefix("var-")
        if name not in found:
            raise BadParameterError(f'there is no parameter "{key[:64]}"; {closest(name, _PARAMETERS)}')
        if count >= _MOST_VALUES or len(value) > _LONGEST:
            raise BadParameterError(
                f"{name}: give at most {_MOST_VALUES} values, each of at most {_LONGEST} characters"
            )
        if value and value not in (_GRAFANA_ALL if name in COLUMNS else ()):
            found[name].append(value)
    for name in _SINGLE:
        if len(found[name]) > 1:
            raise BadParameterError(f"{name}: give it once")
    return found


def _bad(sli: str, slos: Sequence[Slo]) -> list[str]:
    """The marks of an SLI's bad answers; of coverage there are none, because what is bad there has no verdict."""
    measures = {slo.name: slo.measure for slo in slos if not isinstance(slo.measure, CoverageSli)}
    match measures[_one_of("sli", sli, tuple(measures))]:
        case VerdictsSli(evaluator):
            return [failed_by(evaluator)]
        case Signal(signal):
            return [signalled(signal)]
        case _:
            return [FAILED_CALL]


def _first(values: Sequence[str]) -> str:
    return values[0] if values else ""


def _one_of(name: str, value: str, known: Sequence[_T]) -> _T:
    if value not in known:
        raise BadParameterError(f'{name}: "{value[:64]}" is none; {closest(value, known)}')
    return known[known.index(value)]


def _limit(value: str) -> int:
    if not value:
        return _ANSWERS
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MOST_ANSWERS):
        raise BadParameterError(f"limit: give a number from 1 to {MOST_ANSWERS}")
    return int(value)


def _place(value: str) -> Place:
    if not value:
        return NEWEST
    found = _PLACE.match(value)
    if found is None:
        raise BadParameterError('after: give what the last answer called "next"')
    return float(found[1]), int(found[2])


def _time(name: str, values: Sequence[str], now: float, default: float) -> float:
    if not values:
        return default
    for read in (_seconds, _relative, _iso):
        if (found := read(values[0], now)) is not None:
            return found
    raise BadParameterError(
        f"{name}: give a time such as 2026-12-01T09:30:00Z, now-6h, or Unix seconds (or milliseconds)"
    )


def _seconds(value: str, _now: float) -> float | None:
    try:
        found = float(value)
    except ValueError:
        return None
    if not math.isfinite(found) or found < 0:
        return None
    return found / 1000 if found > _MILLISECONDS else found


def _relative(value: str, now: float) -> float | None:
    found = _RELATIVE.match(value)
    if found is None:
        return None
    try:
        return now - duration(found[1]) if found[1] else now
    except ValueError:
        return None


def _iso(value: str, _now: float) -> float | None:
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _pattern(text: str) -> str:
    """A LIKE pattern of all documents that may hold a text.

    Its longest piece that stands in them as it is typed, in whatever case: JSON escapes some characters, and LIKE knows
    upper and lower case of ASCII alone. One piece only: LIKE with several tries their places again and again.
    """
    plain = "".join(one if _stands_as_typed(one) else "\n" for one in text)
    longest = max(plain.split("\n"), key=len)
    escaped = re.sub(r"([%_\\])", r"\\\1", longest)
    return f"%{escaped}%" if escaped else ""


def _stands_as_typed(one: str) -> bool:
    return one >= " " and one not in _ESCAPED and (one.isascii() or one.lower() == one.upper())
