"""Which traces a judge is asked about, and why that is fair. Knows no endpoint, no store, and nothing an answer says.

One number in 0..1 comes from a trace's id. Every evaluator and every replica compares that same number with its rates,
so that they judge the same traces, and a higher rate judges all that a lower one does:

    number < rate            "random": the configured share, the same for all slices of a rule and at all times, so that
                             sums over slices and days are unbiased. What SLIs read.
    number < raised rate     "floor": more of a slice so thin that the share would not give it enough in a day. Within
                             the slice, random and floor together are a uniform sample; over several they are not.
    a hard case              "targeted": chosen because it looks bad. No rate may be made of these.

A slice's raised rate holds for an hour and comes from what was seen of it in the hours before. What arrives within the
hour, or in which order, changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from math import ceil, sqrt
from typing import Final, Literal

import msgspec
from msgspec import Struct

from ..model.trace import Trace

Choice = Literal["random", "floor", "targeted", "sampled_out", "not_applicable"]
Slice = tuple[str, str, str, str]

_HOUR: Final = 3600
_HOURS: Final = 24
_MOST_SLICES: Final = 4096
_ALL: Final = ("*",)
_SALT: Final = b"llmq judge sample"


class SamplingRule(Struct, frozen=True, kw_only=True):
    """What is judged where: ``rate`` of the traces, and at least ``floor`` a day of each model and prompt version.

    The globs say which traces it is for; the first rule that matches counts.
    """

    apps: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)
    models: tuple[str, ...] = ("*",)
    environments: tuple[str, ...] = ("*",)
    rate: float = 0.05
    floor: int = 0

    def matches(self, trace: Trace) -> bool:
        """Whether this rule is for the trace."""
        return (
            _any(self.apps, trace.app)
            and _any(self.routes, trace.route)
            and _any(self.models, trace.model_version)
            and _any(self.environments, trace.environment or "")
        )


class Targeted(Struct, frozen=True, kw_only=True):
    """Which traces are hard cases, and the share of them that is judged beside the sample.

    ``failed``: a verdict "fail" of one of these evaluators; ``near``: a score of theirs within so much of its pass
    mark; ``feedback``: a user signal that says no.
    """

    rate: float = 0.0
    failed: tuple[str, ...] = ("grounding", "citation", "refusal")
    near: float = 0.05
    feedback: bool = True


class SamplingDecision(Struct, frozen=True):
    """Whether a trace is judged and as what; ``rate`` is the share of its slice that is, in its hour."""

    choice: Choice
    rate: float = 0.0


class _Slice(Struct):
    """Traces seen of one evaluator's slice in each hour of a day; ``rate`` holds for the hour that ``hour`` is."""

    hour: int
    first: int
    rate: float
    seen: list[int]


class Sampler:
    """Decides for each trace, and remembers how much of each slice came. Bounded; its state is JSON."""

    def __init__(
        self,
        rules: Mapping[str, Sequence[SamplingRule]],
        *,
        now: Callable[[], float],
        targeted: Targeted = Targeted(),  # noqa: B008 (frozen)
    ) -> None:
        self._rules = {name: tuple(some) for name, some in rules.items()}
        self._targeted = targeted
        self._now = now
        self._slices: dict[tuple[str, Slice], _Slice] = {}

    def decide(self, evaluator: str, trace: Trace, *, hard: bool = False) -> SamplingDecision:
        """Whether this evaluator judges the trace, which is counted as seen: ask once for each trace that it could."""
        rule = self.rule(evaluator, trace)
        if rule is None:
            return SamplingDecision("not_applicable")
        number = draw(trace.trace_id)
        rate = max(rule.rate, self._raised(evaluator, trace, rule))
        if number < rule.rate:
            return SamplingDecision("random", rate)
        if number < rate:
            return SamplingDecision("floor", rate)
        if hard and number < rate + (1.0 - rate) * self._targeted.rate:
            return SamplingDecision("targeted", rate)
        return SamplingDecision("sampled_out", rate)

    def rule(self, evaluator: str, trace: Trace) -> SamplingRule | None:
        """The rule for a trace; without one this evaluator is never to judge it."""
        for rule in self._rules.get(evaluator, ()):
            if rule.matches(trace):
                return rule
        return None

    def state(self) -> bytes:
        """What to keep over a restart, as JSON."""
        rows = [(name, where, one.hour, one.first, one.rate, one.seen) for (name, where), one in self._slices.items()]
        return msgspec.json.encode(rows)

    def restore(self, state: bytes) -> None:
        """Go on from a state that was kept; one that cannot be read is left aside, for it only sets floors."""
        try:
            rows = msgspec.json.decode(state, type=list[tuple[str, Slice, int, int, float, list[int]]])
        except msgspec.DecodeError:
            return
        self._slices = {
            (name, where): _Slice(hour, first, rate, (seen + [0] * _HOURS)[:_HOURS])
            for name, where, hour, first, rate, seen in rows[:_MOST_SLICES]
        }

    def _raised(self, evaluator: str, trace: Trace, rule: SamplingRule) -> float:
        """The rate that gives the trace's slice its floor; also counts the trace, for the hours to come."""
        if not rule.floor:
            return 0.0
        hour = int(self._now() // _HOUR)
        key = (evaluator, (trace.app, trace.route, trace.model_version, trace.prompt_version))
        one = self._slices.get(key)
        if one is None:
            if len(self._slices) >= _MOST_SLICES and not self._forget(hour):
                return 0.0
            one = self._slices[key] = _Slice(hour, hour, 0.0, [0] * _HOURS)
        if hour > one.hour:
            _turn(one, hour, rule.floor)
        one.seen[hour % _HOURS] += 1
        return one.rate

    def _forget(self, hour: int) -> bool:
        """Drop the slices of which nothing came for a day; whether that made room."""
        self._slices = {key: one for key, one in self._slices.items() if one.hour > hour - _HOURS}
        return len(self._slices) < _MOST_SLICES


def _turn(one: _Slice, hour: int, floor: int) -> None:
    """Begin an hour: its rate from the traffic of the day before it, or of as much of that day as there was."""
    if hour - one.hour >= _HOURS:
        one.first = hour
    for passed in range(one.hour + 1, min(hour, one.hour + _HOURS) + 1):
        one.seen[passed % _HOURS] = 0
    one.hour = hour
    hours = min(hour - one.first, _HOURS - 1)
    a_day = sum(one.seen) * _HOURS / hours if hours else 0.0
    one.rate = min(1.0, enough(floor) / a_day) if a_day else 0.0


def enough(floor: int) -> int:
    """How many to expect a day so that chance leaves fewer than ``floor`` on one day in forty."""
    return ceil(floor + 2.0 * sqrt(floor))


def draw(trace_id: str) -> float:
    """The trace's number in 0..1: uniform whatever the ids look like, and not that of any sampler before us."""
    digest = blake2b(trace_id.encode(), digest_size=8, key=_SALT).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def hard(targeted: Targeted, verdicts: Mapping[str, tuple[str, float, float]], *, disliked: bool = False) -> str:
    """Why a trace is a hard case, "" where it is none; ``verdicts``: evaluator → verdict, score, pass mark."""
    if not targeted.rate:
        return ""
    for name in targeted.failed:
        if name in verdicts and verdicts[name][0] == "fail":
            return f"{name} failed"
        if name in verdicts and abs(verdicts[name][1] - verdicts[name][2]) < targeted.near:
            return f"{name} is near its pass mark"
    return "negative feedback" if disliked and targeted.feedback else ""


def _any(globs: tuple[str, ...], text: str) -> bool:
    return globs == _ALL or any(fnmatchcase(text, glob) for glob in globs)
