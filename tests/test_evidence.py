"""What anchors say of a judge now: only what was asked again of late speaks for now, and as much as that is worth."""

import random

import msgspec
import pytest

from exporter.judge.agreement import agreement, corrected
from exporter.judge.drift import diagnose
from exporter.judge.evidence import ENOUGH_ASKED, HOUR, AskedAnchor, evidence, window
from exporter.judge.gate import GateLimits, ScoredAnchor, fallen
from exporter.judging.history import known, moved, next_of
from exporter.records.judge import AnchorVerdicts, LiveTraffic, LiveVerdict


def says(passed):
    return "pass" if passed else "fail"


def anchors(n, again, *, sensitivity=0.9, specificity=(0.8, 0.8), seed=1):
    """Anchors of which people pass half, and the first ``again`` were asked again, by a judge of this specificity."""
    draw = random.Random(seed)
    found = []
    for number in range(n):
        good, luck = number % 2 == 0, draw.random()
        before, now = ((luck < sensitivity) if good else (luck < 1 - one) for one in specificity)
        found.append(AskedAnchor(human=says(good), first=says(before), again=says(now) if number < again else None))
    return found


def test_a_judge_whose_specificity_falls_in_the_middle_of_a_lap_is_blamed_and_not_the_system():
    """91 of 300 anchors were asked again after the specificity fell from .8 to .1, and half of the answers are bad."""
    found = evidence(anchors(300, 91, specificity=(0.8, 0.1)))
    before, now = (550, 1000), (900, 1000)
    measured = agreement(found.confusion)
    assert measured.specificity.low <= 0.1 <= measured.specificity.high < 0.4
    assert measured.sensitivity.low <= 0.9 <= measured.sensitivity.high
    said = diagnose(before, now, found.shift)
    assert said.cause == "judge"
    assert said.judge.low <= 0.35 <= said.judge.high
    assert said.system.low < 0 < said.system.high
    rate = corrected(*now, found.confusion)
    assert rate is None or rate.low <= 0.5 <= rate.high
    assert (found.asked, found.anchors) == (91, 300)


def test_all_asked_again_is_the_plain_table():
    found = evidence(anchors(200, 200))
    table = found.confusion
    assert (table.human_pass, table.human_fail) == (100, 100)
    assert all(float(count).is_integer() for row in table.counts() for count in row)
    assert found.shift.value == 0


def test_with_too_few_asked_again_it_is_not_known_yet():
    found = evidence(anchors(300, 8))
    assert found.confusion.n == 0
    assert found.shift is None
    assert agreement(found.confusion).kappa is None
    assert corrected(500, 1000, found.confusion) is None
    assert found.asked == 8
    assert diagnose((550, 1000), (900, 1000), found.shift).cause == "unclear"


def test_a_judge_that_repeats_itself_is_known_better_than_one_that_changed():
    steady, changed = (evidence(anchors(300, 90, specificity=one)) for one in ((0.8, 0.8), (0.8, 0.4)))
    assert steady.confusion.human_fail > 2 * 45
    assert changed.confusion.human_fail < steady.confusion.human_fail
    assert steady.confusion.human_fail <= 150


def test_nothing_known_of_no_anchors():
    found = evidence([])
    assert (found.confusion.n, found.shift, found.asked) == (0, None, 0)


@pytest.mark.parametrize("seed", range(5))
def test_intervals_hold_the_truth_in_the_middle_of_a_lap(seed):
    held, runs = 0, 200
    for run in range(runs):
        found = evidence(anchors(300, 91, specificity=(0.8, 0.3), seed=f"{seed} {run}"))
        specificity = agreement(found.confusion).specificity
        held += specificity.low <= 0.3 <= specificity.high
    assert held >= 0.9 * runs


@pytest.mark.parametrize(
    ("passes", "fails", "share"), [(150, 150, 0.5), (270, 30, 0.5), (290, 10, 10 / 60), (20, 20, 0.5), (36, 4, 0.1)]
)
def test_the_rarer_kind_is_asked_as_often_as_the_other_unless_it_would_be_asked_twice_in_a_window(passes, fails, share):
    said = {f"{n}": said_of(f"{n}", "pass" if n < passes else "fail") for n in range(passes + fails)}
    asked = []
    for at in range(1, 601):
        key = next_of(said)
        asked.append(key)
        said[key] = msgspec.structs.replace(said[key], at=float(at))
    failing = sum(said[key].first.human == "fail" for key in asked)
    assert failing / len(asked) == pytest.approx(share, abs=0.06)
    assert all(len(set(asked[at : at + 40])) >= 35 for at in range(100, 500, 7))


def test_what_the_judge_says_does_not_choose_who_is_asked():
    def order(verdict):
        said = {f"{n}": said_of(f"{n}", "fail" if n % 3 else "pass") for n in range(90)}
        for at in range(1, 100):
            key = next_of(said)
            first = said[key].first
            said[key] = AnchorVerdicts(first, msgspec.structs.replace(first, judge=verdict), float(at))
            yield key

    assert list(order("pass")) == list(order("fail"))


def said_of(key, human):
    one = ScoredAnchor(anchor=key, key=key, human=human, judge=human)
    return AnchorVerdicts(one, one)


def hours(*counts, first=1000):
    return {first + number: count for number, count in enumerate(counts)}


def test_a_window_is_the_shortest_with_enough_of_both():
    traffic = hours(*[(90, 100)] * 48)
    asked = [(1000 + hour) * HOUR for hour in range(48) for _ in range(4)]
    found = window(traffic, [asked, []], 1048 * HOUR - 1)
    assert found.since == (1048 - ENOUGH_ASKED // 4) * HOUR
    assert found.judged == (15 * 90, 15 * 100)


def test_a_window_holds_no_verdicts_of_a_time_of_which_no_anchor_tells_any_more():
    long_ago = [(1000 + number) * HOUR for number in range(40)]
    found = window(hours(*[(9, 10)] * 48), [long_ago, [1040 * HOUR] * 20], 1048 * HOUR - 1)
    assert found.since == 1040 * HOUR
    assert found.judged == (72, 80)


def test_anchors_count_as_much_as_the_production_of_their_time():
    found = window(hours((0, 300), (0, 100)), [[1000 * HOUR, 1001 * HOUR, 1001 * HOUR]], 1002 * HOUR - 1)
    assert found.weights([1000 * HOUR, 1001 * HOUR, 1001 * HOUR]) == [300, 50, 50]


def test_a_version_that_is_surely_below_the_gate_has_fallen_and_one_that_may_be_above_has_not():
    def reasons(again, specificity):
        return fallen(agreement(evidence(anchors(300, again, specificity=specificity)).confusion), GateLimits())

    assert reasons(300, (0.8, 0.8)) == ()
    assert reasons(20, (0.8, 0.5)) == ()
    assert reasons(8, (0.8, 0.0)) == ()
    [reason] = reasons(91, (0.8, 0.0))
    assert reason.startswith("kappa is ")


def test_production_has_moved_when_its_last_verdicts_surely_differ():
    traffic, draw = LiveTraffic(), random.Random(1)
    for share, has_moved in ((0.8, False), (0.8, False), (0.5, True)):
        for _ in range(300):
            traffic.add(LiveVerdict(1.0, says(draw.random() < share), 10, None), 0.0)
        assert moved(traffic) is has_moved


def test_an_anchor_that_was_not_asked_again_does_not_speak_for_now():
    def said(key, last, at):
        first, now = (ScoredAnchor(anchor=key, key=key, human="pass", judge=one) for one in ("pass", last))
        return AnchorVerdicts(first, now, at)

    traffic = LiveTraffic(hours=hours(*[(90, 100)] * 48))
    at = [(1000 + number // 4) * HOUR for number in range(192)]
    all_said = {str(n): said(str(n), "fail" if n >= 132 else "pass", one) for n, one in enumerate(at)}
    now = known(all_said, traffic, 1048 * HOUR - 1)
    assert now.evidence.asked == ENOUGH_ASKED
    assert agreement(now.evidence.confusion).sensitivity.value == pytest.approx(0.0)
