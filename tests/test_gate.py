"""The gate: a judge version counts once the anchors say that it may, and the last one goes on acting until then."""

import msgspec
import pytest

from exporter.judge.gate import GateDecision, GateLimits, Roles, ScoredAnchor, Standing, Version, admit, decide, roles
from exporter.judge.rubric import Level, Rubric

RUBRIC = Rubric(
    name="helpfulness",
    summary="Helps.",
    instructions="Does it help?",
    scale=(Level(score=1, means="no"), Level(score=5, means="yes")),
    pass_score=5,
)


def scored(right_pass, wrong_pass, right_fail, wrong_fail, unanswered=0):
    """Verdicts on anchors: right and wrong on those that people pass, right and wrong on those that they fail."""
    kinds = [("pass", "pass")] * right_pass + [("fail", "pass")] * wrong_pass
    kinds += [("fail", "fail")] * right_fail + [("pass", "fail")] * wrong_fail + [(None, "pass")] * unanswered
    return [
        ScoredAnchor(anchor=f"a{n}", key=f"k{n}", human=human, judge=judge, score=None if judge is None else 0.5)
        for n, (judge, human) in enumerate(kinds)
    ]


def version(name):
    return Version(version=name, model=name, rubric=RUBRIC)


GOOD = scored(45, 3, 27, 3)
POOR = scored(30, 18, 14, 16)


def test_a_judge_that_agrees_beyond_doubt_passes():
    found = decide("new", GOOD, 78, GateLimits())
    assert found.open
    assert found.reasons == ()
    assert found.agreement.confusion.counts() == ((45, 3), (3, 27))


def test_a_judge_that_agrees_by_chance_fails_and_the_report_says_why():
    found = decide("new", POOR, 78, GateLimits(agreement=0.7))
    assert not found.open
    assert [reason.split()[0] for reason in found.reasons] == ["kappa", "agreement"]
    assert len(found.worst) == 10


def test_the_bound_decides_and_not_the_point():
    few, many = scored(18, 4, 12, 4), scored(180, 40, 120, 40)
    limits = GateLimits(min_cases=30, kappa=0.45)
    assert decide("new", few, 38, limits).agreement.kappa.value > 0.45
    assert not decide("new", few, 38, limits).open
    assert decide("new", many, 380, limits).open


def test_to_reach_a_limit_exactly_is_enough():
    found = decide("new", GOOD, 78, GateLimits(), acting=POOR)
    limits = GateLimits(
        min_cases=78, kappa=found.agreement.kappa.low, agreement=found.agreement.agreement.low, margin=0.0
    )
    assert decide("new", GOOD, 78, limits, acting=POOR).open
    behind = decide("new", POOR, 78, GateLimits(), acting=GOOD).against_acting.low
    assert decide("new", POOR, 78, GateLimits(kappa=None, margin=-behind), acting=GOOD).open


def test_too_few_cases_keep_it_shut_however_good_it_is():
    found = decide("new", scored(20, 0, 20, 0), 40, GateLimits())
    assert found.reasons == ("40 anchors with a verdict, and 50 are needed: label more cases",)


def test_it_is_decided_when_every_anchor_was_tried_and_no_sooner():
    found = decide("new", GOOD, 100, GateLimits())
    assert found.reasons == ("78 of 100 anchors have been scored: it is decided when all have",)


def test_a_judge_that_often_says_nothing_does_not_pass_by_the_rest():
    found = decide("new", [*GOOD, *scored(0, 0, 0, 0, unanswered=20)], 98, GateLimits())
    assert found.reasons == ("no verdict on 20 of 98 anchors (20%, at most 10%)",)
    assert found.unanswered == 20
    assert decide("new", [*GOOD, *scored(0, 0, 0, 0, unanswered=5)], 83, GateLimits()).open


def test_anchors_that_people_all_pass_tell_nothing_of_kappa():
    found = decide("new", scored(80, 0, 0, 0), 80, GateLimits())
    assert not found.open
    assert "cannot be told" in found.reasons[0]


def test_without_bounds_enough_cases_open_it():
    assert decide("new", POOR, 78, GateLimits(kappa=None)).open


def test_a_margin_compares_with_the_acting_version_on_the_same_anchors():
    better, worse = scored(150, 10, 90, 10), scored(130, 30, 70, 30)
    limits = GateLimits(kappa=0.3, margin=0.05)
    assert decide("new", better, 260, limits, acting=worse).open
    shut = decide("new", worse, 260, limits, acting=better)
    assert shut.against_acting.value == pytest.approx(-40 / 260)
    assert shut.against_acting.low < -0.05
    assert shut.reasons[0].startswith("agreement minus the acting version's is -0.15")
    assert decide("new", worse, 260, GateLimits(kappa=0.3), acting=better).open


def test_a_margin_asks_nothing_of_the_first_version():
    assert decide("first", GOOD, 78, GateLimits(margin=0.0)).open


def test_an_acting_version_that_scored_other_anchors_is_no_comparison():
    others = [msgspec.structs.replace(one, key=f"other {one.key}") for one in GOOD]
    found = decide("new", GOOD, 78, GateLimits(margin=0.05), acting=others)
    assert found.reasons == ("no anchor has a verdict of both this and the acting version",)


def test_the_worst_disagreements_come_first():
    far = ScoredAnchor(anchor="far", key="1", human="fail", judge="pass", score=1.0, explanation="All said.")
    near = ScoredAnchor(anchor="near", key="2", human="pass", judge="fail", score=0.4)
    right = ScoredAnchor(anchor="right", key="3", human="pass", judge="pass", score=1.0)
    bare = ScoredAnchor(anchor="bare", key="4", human="pass", judge="fail")
    middle = ScoredAnchor(anchor="middle", key="5", human="fail", judge="pass", score=0.7)
    worst = decide("new", [near, right, middle, bare, far], 5, GateLimits()).worst
    assert [one.anchor for one in worst] == ["bare", "far", "middle", "near"]


def test_the_first_version_is_shadowed_and_nobody_acts():
    standing, found = roles(Standing(), version("v1"))
    assert found == Roles(acting=None, shadow=version("v1"))
    assert standing == Standing()


def test_an_upgrade_is_shadowed_while_the_old_one_acts_and_then_takes_over():
    standing = admit(Standing(), version("v1"))
    standing, found = roles(standing, version("v2"))
    assert found == Roles(acting=version("v1"), shadow=version("v2"))
    standing, found = roles(admit(standing, version("v2")), version("v2"))
    assert found == Roles(acting=version("v2"), shadow=None)


def test_rolling_back_to_an_admitted_version_is_immediate():
    standing = admit(admit(Standing(), version("v1")), version("v2"))
    standing, found = roles(standing, version("v1"))
    assert found == Roles(acting=version("v1"), shadow=None)
    _, found = roles(standing, version("v3"))
    assert found == Roles(acting=version("v1"), shadow=version("v3"))


def test_admitted_versions_are_remembered_up_to_twenty():
    standing = Standing()
    for number in range(30):
        standing = admit(standing, version(f"v{number}"))
    assert [one.version for one in standing.admitted] == [f"v{number}" for number in range(10, 30)]
    assert len(admit(standing, version("v15")).admitted) == 20


def test_what_the_store_keeps_comes_back_as_it_was():
    standing = admit(Standing(), version("v1"))
    assert msgspec.json.decode(msgspec.json.encode(standing), type=Standing) == standing
    for decision in (decide("new", GOOD, 78, GateLimits()), decide("new", [], 0, GateLimits())):
        assert msgspec.json.decode(msgspec.json.encode(decision), type=GateDecision) == decision
