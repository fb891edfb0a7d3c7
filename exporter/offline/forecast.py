"""Forecasts a day's cost of the judge at the configured traffic. Makes no calls."""

from collections.abc import Iterator
from math import ceil
from statistics import fmean
from typing import Final

from msgspec import Struct

from ..config.settings import JudgeSettings
from ..judge.budget import Cost
from ..judge.case import Case, Usage
from ..judge.prompt import most, prompt
from ..judge.rubric import Rubric
from .report import table

_BYTES_PER_TOKEN: Final = 4
"""As most tokenizers make of English; of other languages they make more tokens."""
_REPLY: Final = 120
"""Tokens of a usual reply; a model that thinks writes up to max_tokens."""
_USUAL: Final = Case(question="q" * 200, answer="a" * 1200, context=("d" * 1500,) * 3)
"""A case of usual length, where no anchors say how long yours are."""
_HOURS: Final = 24


class Forecast(Struct, frozen=True, kw_only=True):
    """One rubric's day: calls, and what they are likely to cost and cost at most."""

    rubric: str
    calls: int
    likely: Cost
    most: Cost


def forecast(judge: JudgeSettings) -> tuple[Forecast, ...]:
    """The day of each enabled rubric at ``judge.traffic``, if every trace has what the rubric needs."""
    return tuple(_day(judge, rubric) for rubric in judge.rubrics)


def forecast_lines(judge: JudgeSettings) -> Iterator[str]:
    """The forecast for people, and how it stands to the budget."""
    if not judge.enabled or not judge.rubrics:
        return
    found = forecast(judge)
    rows = [(one.rubric, f"{one.calls:,}", *_cells(one.likely), *_cells(one.most)) for one in found]
    likely, at_most = _sum([one.likely for one in found]), _sum([one.most for one in found])
    rows.append(("all", f"{sum(one.calls for one in found):,}", *_cells(likely), *_cells(at_most)))
    head = ("judged in a day", "calls", "tokens", "dollars", "tokens at most", "dollars at most")
    yield ""
    yield from table([head, *rows], (1, 2, 3, 4, 5))
    yield f"\nat {judge.traffic:,} traces a day (judge.traffic), without hard cases; {_budget(judge, likely)}"


def _day(judge: JudgeSettings, rubric: Rubric) -> Forecast:
    cases = [one.case() for one in judge.anchors.cases if one.evaluator == rubric.name] or [_USUAL]
    usual = fmean(_tokens(case, rubric) for case in cases)
    calls = _calls(judge, rubric, anchored=bool(judge.anchors.cases))
    bound = most(prompt(_longest(rubric), rubric), rubric, judge.endpoint.max_tokens)
    return Forecast(
        rubric=rubric.name,
        calls=calls,
        likely=_times(judge.tariff.cost(Usage(ceil(usual), min(_REPLY, judge.endpoint.max_tokens))), calls),
        most=_times(judge.tariff.cost(bound), calls),
    )


def _calls(judge: JudgeSettings, rubric: Rubric, *, anchored: bool) -> int:
    """Calls in a day: the largest rate of the rubric's rules, its floor, repeats, and anchors."""
    rules = judge.rules.get(rubric.name, judge.sampling)
    sampled = max(min(judge.traffic, max(rule.rate * judge.traffic, rule.floor)) for rule in rules)
    return ceil(sampled * (1 + judge.repeat) + (judge.anchors.per_hour * _HOURS if anchored else 0))


def _tokens(case: Case, rubric: Rubric) -> float:
    return sum(len(message["content"].encode()) for message in prompt(case, rubric).messages) / _BYTES_PER_TOKEN


def _longest(rubric: Rubric) -> Case:
    lengths = rubric.max_characters
    return Case(question="q" * lengths.question, answer="a" * lengths.answer, context=("d" * lengths.context,))


def _times(cost: Cost, calls: int) -> Cost:
    return Cost(cost.tokens * calls, cost.micros * calls)


def _sum(costs: list[Cost]) -> Cost:
    return Cost(sum(one.tokens for one in costs), sum(one.micros for one in costs))


def _cells(cost: Cost) -> tuple[str, str]:
    return f"{cost.tokens:,}", f"{cost.micros / 1_000_000:,.2f}" if cost.micros else "-"


def _budget(judge: JudgeSettings, likely: Cost) -> str:
    """The limits of a day (24 hours of an hour's), and whether they reach."""
    day, hour = judge.caps.day, judge.caps.hour
    limits = [
        (f"{limit:,} tokens a {span}", limit * times, likely.tokens)
        for span, limit, times in (("day", day.tokens, 1), ("hour", hour.tokens, _HOURS))
        if limit is not None
    ] + [
        (f"{limit / 1_000_000:,.2f} dollars a {span}", limit * times, likely.micros)
        for span, limit, times in (("day", day.micros, 1), ("hour", hour.micros, _HOURS))
        if limit is not None
    ]
    if not limits:
        return "no budget limits it"
    return "the budget is " + ", ".join(
        f"{text} ({'enough' if needed <= limit else f'enough for {limit / needed:.0%} of it'})"
        for text, limit, needed in limits
    )
