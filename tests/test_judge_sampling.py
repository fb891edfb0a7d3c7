"""The sample is fair: by simulation, with floors, with rates that change, and whatever the traffic does."""

import random
from functools import cache
from math import sqrt
from statistics import fmean, stdev

import pytest

from exporter.judge.sampling import Sampler, SamplingRule, Targeted, draw, enough, hard
from exporter.model.trace import Trace

HOUR, DAY = 3600.0, 86400.0


class Clock:
    at = 0.0

    def __call__(self):
        return self.at


START = 1_790_000_000.0 // DAY * DAY


def trace(trace_id="t", *, app="shop", route="/chat", model="m1", prompt="p1", environment="production"):
    return Trace(
        trace_id=trace_id,
        app=app,
        route=route,
        model_version=model,
        prompt_version=prompt,
        environment=environment,
    )


def sampler(clock, *rules, targeted=None):
    return Sampler({"a": rules, "b": rules}, now=clock, targeted=targeted or Targeted())


def simulate(clock, judge, chance, hours):
    """Traffic of a big version, good by day and bad by night, and of a small new one that is bad.

    Gives (hour, model, passed, Decision) of each trace.
    """
    seen = []
    for hour in hours:
        clock.at = START + hour * HOUR
        night = hour % 24 < 8
        for model, count, quality in (("big", 40 if night else 160, 0.6 if night else 0.95), ("small", 8, 0.3)):
            for _ in range(count):
                passed = chance.random() < quality
                decision = judge.decide("a", trace(f"{chance.getrandbits(128):032x}", model=model))
                seen.append((hour, model, passed, decision))
    return seen


def share(rows):
    return fmean(passed for *_, passed, _ in rows)


def judged(rows, *choices):
    return [row for row in rows if row[3].choice in choices]


def is_unbiased(errors):
    """The mean error is within three of its own standard errors of nothing."""
    return abs(fmean(errors)) < 3 * stdev(errors) / sqrt(len(errors))


RULE = SamplingRule(rate=0.1, floor=60)
SEEDS = range(50)


CHANGE, END = 36, 48
"""Hours: a day to learn the traffic from, then the day that is looked at, in whose middle a rule may change."""


@cache
def mornings():
    """Many simulations until the change: what each sampler learnt, the state of the chance, and the day so far."""
    clock, found = Clock(), []
    for seed in SEEDS:
        judge, chance = sampler(clock, RULE), random.Random(seed)
        rows = simulate(clock, judge, chance, range(CHANGE))
        found.append((judge.state(), chance.getstate(), [row for row in rows if row[0] >= 24]))
    return found


def days(*, rule=RULE, learnt=True):
    """The last day of each simulation, with that rule after the change, and with what was learnt before or without."""
    clock, chance = Clock(), random.Random()
    for state, at, rows in mornings():
        judge = sampler(clock, rule)
        clock.at = START + CHANGE * HOUR
        if learnt:
            judge.restore(state)
        chance.setstate(at)
        yield rows + simulate(clock, judge, chance, range(CHANGE, END))


@cache
def plain_days():
    """The last days of many simulations under one rule."""
    return list(days())


def test_the_rate_of_the_random_sample_is_unbiased_over_versions_and_hours_although_floors_raise_some():
    errors, with_floor = [], []
    for rows in plain_days():
        errors.append(share(judged(rows, "random")) - share(rows))
        with_floor.append(share(judged(rows, "random", "floor")) - share(rows))
    assert is_unbiased(errors)
    assert not is_unbiased(with_floor)  # which is why what a floor adds is counted apart


def test_within_a_slice_random_and_floor_together_are_unbiased():
    errors = []
    for day in plain_days():
        rows = [row for row in day if row[1] == "small"]
        errors.append(share(judged(rows, "random", "floor")) - share(rows))
    assert is_unbiased(errors)


def test_weighted_by_its_rate_every_judged_trace_together_is_unbiased_also_when_the_rate_changes_within_the_day():
    errors = []
    for rows in days(rule=SamplingRule(rate=0.3, floor=60)):
        taken = judged(rows, "random", "floor")
        weights = [1 / decision.rate for *_, decision in taken]
        estimate = sum(weight * passed for weight, (*_, passed, _) in zip(weights, taken, strict=True)) / sum(weights)
        errors.append(estimate - share(rows))
    assert is_unbiased(errors)


def test_when_the_rate_changes_the_random_sample_is_unbiased_before_and_after():
    before, after = [], []
    for rows in days(rule=SamplingRule(rate=0.3), learnt=False):
        for errors, part in (
            (before, [r for r in rows if r[0] < CHANGE]),
            (after, [r for r in rows if r[0] >= CHANGE]),
        ):
            errors.append(share(judged(part, "random")) - share(part))
    assert is_unbiased(before)
    assert is_unbiased(after)


def test_a_thin_slice_reaches_its_floor_on_nearly_every_day():
    counts = [len([row for row in judged(rows, "random", "floor") if row[1] == "small"]) for rows in plain_days()]
    assert sum(count >= 60 for count in counts) >= 46
    assert fmean(counts) < 1.3 * enough(60)


def test_a_floor_leaves_a_busy_slice_alone():
    assert [row for rows in plain_days() for row in judged(rows, "floor") if row[1] == "big"] == []


def test_a_slice_with_less_traffic_than_its_floor_is_judged_whole(clock):
    judge = sampler(clock, SamplingRule(rate=0.01, floor=1000))
    choices = []
    for hour in range(30):
        clock.at = START + hour * HOUR
        choices += [(hour, judge.decide("a", trace(f"{hour} {n}")).choice) for n in range(5)]
    assert {choice for hour, choice in choices if hour >= 1} <= {"random", "floor"}


def test_within_an_hour_nothing_that_arrives_changes_the_rate(clock):
    judge = sampler(clock, RULE)
    simulate(clock, judge, random.Random(1), range(END))
    clock.at = START + 48 * HOUR
    rates = {judge.decide("a", trace(str(n), model="small")).rate for n in range(2000)}
    assert len(rates) == 1


def test_the_order_of_arrival_changes_nothing(clock):
    def choices(order):
        judge = sampler(clock, RULE)
        found = {}
        for hour in range(3):
            clock.at = START + hour * HOUR
            found |= {(hour, n): judge.decide("a", trace(f"{hour} {n}")) for n in order}
        return found

    assert choices(range(300)) == choices(range(299, -1, -1))


def test_two_evaluators_and_two_replicas_judge_the_same_traces(clock):
    here, there = sampler(clock, SamplingRule(rate=0.2)), sampler(clock, SamplingRule(rate=0.2))
    ids = [f"{n:032x}" for n in range(500)]
    chosen = [
        {i for i in ids if one.decide(name, trace(i)).choice == "random"} for one in (here, there) for name in "ab"
    ]
    assert chosen[0] == chosen[1] == chosen[2] == chosen[3]
    assert 60 < len(chosen[0]) < 140


def test_a_higher_rate_judges_all_that_a_lower_one_does(clock):
    low, high = sampler(clock, SamplingRule(rate=0.1)), sampler(clock, SamplingRule(rate=0.3))
    ids = [f"{n:032x}" for n in range(2000)]
    few = {i for i in ids if low.decide("a", trace(i)).choice == "random"}
    many = {i for i in ids if high.decide("a", trace(i)).choice == "random"}
    assert few < many


@pytest.mark.parametrize("ids", [range(4000), range(0, 4000 << 96, 1 << 96)], ids=["by their end", "by their start"])
def test_the_draw_is_uniform_whatever_the_ids_look_like(ids):
    """Also where a sampler before us kept only ids of one kind."""
    numbers = [draw(f"{n:032x}") for n in ids]
    tenths = [sum(n / 10 <= number < (n + 1) / 10 for number in numbers) for n in range(10)]
    assert sum((count - 400) ** 2 / 400 for count in tenths) < 27.9  # chi-square, nine degrees, one in a thousand


def test_the_first_rule_that_matches_counts_and_without_one_nothing_is_judged(clock):
    judge = sampler(
        clock, SamplingRule(apps=("shop",), routes=("/chat*",), rate=1.0), SamplingRule(models=("m9",), rate=1.0)
    )
    assert judge.decide("a", trace(route="/chat/x")).choice == "random"
    assert judge.decide("a", trace(route="/search")).choice == "not_applicable"
    assert judge.decide("a", trace(route="/search", model="m9")).choice == "random"
    assert judge.decide("c", trace()).choice == "not_applicable"
    staging = sampler(clock, SamplingRule(environments=("staging",), rate=1.0))
    assert staging.decide("a", trace()).choice == "not_applicable"


def test_a_hard_case_is_targeted_only_where_the_sample_does_not_have_it(clock):
    judge = sampler(clock, SamplingRule(rate=0.2), targeted=Targeted(rate=1.0))
    for n in range(500):
        easy, difficult = judge.decide("a", trace(str(n))), judge.decide("a", trace(str(n)), hard=True)
        assert (easy.choice, difficult.choice) in {("random", "random"), ("sampled_out", "targeted")}


def test_a_share_of_the_hard_cases_is_that_share_of_what_the_sample_left(clock):
    judge = sampler(clock, SamplingRule(rate=0.5), targeted=Targeted(rate=0.3))
    choices = [judge.decide("a", trace(str(n)), hard=True).choice for n in range(4000)]
    assert 500 < choices.count("targeted") < 700


@pytest.mark.parametrize(
    ("verdicts", "disliked", "reason"),
    [
        ({"grounding": ("fail", 0.1, 0.5)}, False, "grounding failed"),
        ({"grounding": ("pass", 0.52, 0.5)}, False, "grounding is near its pass mark"),
        ({"grounding": ("pass", 0.9, 0.5)}, False, ""),
        ({"format": ("fail", 0.0, 0.5)}, False, ""),
        ({}, True, "negative feedback"),
    ],
)
def test_what_makes_a_hard_case(verdicts, disliked, reason):
    assert hard(Targeted(rate=1.0, near=0.05), verdicts, disliked=disliked) == reason
    assert hard(Targeted(rate=0.0, near=0.05), verdicts, disliked=disliked) == ""


def test_a_restart_in_the_middle_of_the_day_changes_no_decision(clock):
    def choices(restarts):
        judge = sampler(clock, RULE)
        found = []
        for hour in range(48):
            clock.at = START + hour * HOUR
            if restarts and hour in (7, 30):
                kept, judge = judge.state(), sampler(clock, RULE)
                judge.restore(kept)
            found += [judge.decide("a", trace(f"{hour} {n}")) for n in range(10)]
        return found

    assert choices(restarts=True) == choices(restarts=False)


@pytest.mark.parametrize("state", [b"", b"{}", b"[1]", b'[["a"]]', b"\xff"])
def test_a_state_that_cannot_be_read_is_left_aside(clock, state):
    judge = sampler(clock, RULE)
    judge.restore(state)
    assert judge.decide("a", trace()).rate == RULE.rate


def test_the_state_is_bounded_and_forgets_what_no_longer_comes(clock):
    judge = sampler(clock, SamplingRule(rate=0.0, floor=100))
    for n in range(5000):
        judge.decide("a", trace(model=f"m{n}"))
    assert len(judge.state()) < 1 << 20
    clock.at += 2 * DAY
    for hour in range(2):
        clock.at += HOUR
        found = [judge.decide("a", trace(f"{hour} {n}", model="new")).choice for n in range(50)]
    assert "floor" in found
