"""SLOs as data: lines, policies, what is refused, and what can be detected at all."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from exporter.rules.slo import (
    COLLAPSE,
    DEFAULT_SLOS,
    LAST_WEEK,
    TICKETS,
    WINDOWS,
    CoverageSli,
    Override,
    Signal,
    Slo,
    VerdictsSli,
    events_needed,
    minutes,
    problems,
    reach,
    wilson_low,
)

GROUNDING = Slo(name="grounding", measure=VerdictsSli("grounding"), objective=Decimal("0.95"))


def words(*slos, warning=False):
    return [problem.message for problem in problems(slos) if problem.warning is warning]


def test_the_default_slos_have_no_problems():
    assert problems(DEFAULT_SLOS) == []


@pytest.mark.parametrize(
    ("objective", "lines"),
    [
        ("0.97", ["0.36", "0.18", "0.09", "0.06", "0.0375"]),
        ("0.95", ["0.6", "0.3", "0.15", "0.1", "0.0625"]),
        ("0.90", ["0.75", "0.6", "0.3", "0.2", "0.125"]),
        ("0.85", ["0.75", "0.6", "0.45", "0.3", "0.1875"]),
    ],
)
def test_the_alert_lines_are_exact_decimals(objective, lines):
    assert [str(window.line(Decimal(objective))) for window in WINDOWS] == lines


def test_the_pages_of_the_sre_workbook_are_refused_where_they_can_never_fire():
    workbook = replace(WINDOWS[1], short="5m", factor=Decimal("14.4"), cap=Decimal(100))
    assert words(replace(GROUNDING, objective=Decimal("0.94"), windows=(workbook,))) == []
    (message,) = words(replace(GROUNDING, objective=Decimal("0.93"), windows=(workbook,)))
    assert "can never fire for grounding (objective 0.93): 14.4 times a budget of 0.07 is 1.008" in message


def test_an_impossible_window_is_no_problem_where_no_alert_is_made_of_it():
    impossible = replace(WINDOWS[2], cap=Decimal(1), factor=Decimal(50))
    slo = replace(GROUNDING, windows=(WINDOWS[1], impossible, *WINDOWS[3:]))
    assert words(slo)
    assert words(replace(slo, alerts=COLLAPSE)) == []


def test_an_objective_of_an_override_is_checked_like_the_default():
    workbook = replace(WINDOWS[1], factor=Decimal("14.4"), cap=Decimal(100))
    labs = Override(objective=Decimal("0.8"), apps=("labs",))
    (message,) = words(replace(GROUNDING, windows=(workbook,), overrides=(labs,)))
    assert message.startswith("page_1h can never fire for grounding (objective 0.8)")


def test_a_line_that_almost_everything_must_pass_is_a_warning():
    window = replace(WINDOWS[1], cap=Decimal("0.8"))
    slo = replace(GROUNDING, objective=Decimal("0.85"), windows=(window,))
    assert words(slo) == []
    assert words(slo, warning=True) == [
        "page_1h fires for grounding (objective 0.85) only when more than 80% is bad; lower its cap"
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objective": Decimal(1)}, "an objective lies above 0 and below 1, such as 0.95"),
        ({"objective": Decimal(95)}, "an objective lies above 0 and below 1, such as 0.95"),
        ({"name": "Grounding!"}, "a name has small letters, digits and _, and starts with a letter"),
        ({"min_bad_events": 0}, "min_bad_events must be at least 1"),
        (
            {"measure": CoverageSli(), "apps": ("shop",)},
            "coverage is known by evaluator only: leave out apps, routes and overrides",
        ),
        (
            {"measure": CoverageSli(), "alerts": ("page_1h",)},
            "page_1h can never fire: coverage alerts by ticket; use ticket_1d, ticket_3d",
        ),
        (
            {"measure": CoverageSli(), "alerts": (LAST_WEEK,)},
            "last_week can never fire: coverage alerts by ticket; use ticket_1d, ticket_3d",
        ),
        (
            {"overrides": (Override(objective=Decimal(99)),)},
            "an objective lies above 0 and below 1, such as 0.95",
        ),
        ({"measure": Signal("copy", per="rating")}, "copy is no rating: use per: response"),
        (
            {"windows": (replace(WINDOWS[1], short="2h"),)},
            "the short window 2h is not shorter than 1h",
        ),
        (
            {"windows": (replace(WINDOWS[1], short="15 minutes"),)},
            '"15 minutes" is not a window: write a whole number and s, m, h, d or w, such as "15m"',
        ),
        (
            {"windows": (replace(WINDOWS[1], factor=Decimal("0.5")),)},
            "a factor below 1 alerts while the objective is met: make it at least 1",
        ),
        (
            {"windows": (replace(WINDOWS[1], cap=Decimal(0)),)},
            "page_1h would always fire for grounding (objective 0.95): its cap is 0; set one between 0 and 1",
        ),
        (
            {"windows": (WINDOWS[1], WINDOWS[1])},
            "two windows have the same severity and the same long window",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(wrong, message):
    assert message in words(replace(GROUNDING, **wrong))


def test_two_slos_of_one_name_are_refused():
    assert words(GROUNDING, GROUNDING) == ["another SLO has this name"]


def test_slos_that_share_a_long_window_share_its_short_one():
    other = replace(GROUNDING, name="other", windows=(replace(WINDOWS[1], short="5m"),))
    assert words(GROUNDING, other) == ["the page of 1h has another short window or for in another SLO"]


def test_windows_alert_whose_names_are_among_the_alerts():
    slo = replace(GROUNDING, alerts=("ticket_3d", "page_1h", LAST_WEEK))
    assert [window.name for window in slo.alerting()] == ["page_1h", "ticket_3d"]
    assert [window.name for window in slo.windows] == ["page_15m", "page_1h", "page_6h", "ticket_1d", "ticket_3d"]


def test_judged_helpfulness_and_thumbs_down_page_only_for_a_collapse():
    alerts = {slo.name: slo.alerts for slo in DEFAULT_SLOS}
    assert alerts["grounding"] == ("page_15m", "page_1h", "page_6h", "ticket_1d", "ticket_3d")
    assert alerts["refusal"] == (*alerts["grounding"], LAST_WEEK)
    assert alerts["helpfulness"] == alerts["thumbs_down"] == ("page_15m", "page_1h", "ticket_1d", "ticket_3d")
    assert alerts["coverage"] == TICKETS
    assert alerts["thumbs_down_per_rating"] == ()


@pytest.mark.parametrize(
    ("bad", "events", "bound"), [(0, 0, 0.0), (0, 50, 0.0), (9, 17, 0.2562), (5, 5, 0.4290), (5000, 10000, 0.4871)]
)
def test_the_wilson_bound_has_the_textbook_values(bad, events, bound):
    assert wilson_low(bad, events, 2.58) == pytest.approx(bound, abs=1e-4)


@pytest.mark.parametrize(
    ("line", "truth", "events"),
    [("0.06", "0.12", 105), ("0.1", "0.15", 240), ("0.15", "0.30", 38), ("0.3", "0.375", 249), ("0.45", "0.5625", 131)],
)
def test_events_needed_is_the_first_number_whose_bound_is_above_the_line(line, truth, events):
    assert events_needed(Decimal(line), Decimal(truth), Decimal("2.58"), 0) == events
    assert wilson_low(events * float(truth), events, 2.58) > float(line)
    assert wilson_low((events - 1) * float(truth), events - 1, 2.58) <= float(line)


def test_a_truth_on_the_line_never_passes_it():
    assert events_needed(Decimal("0.1"), Decimal("0.1"), Decimal("2.58"), 1) is None


def test_reach_says_from_what_ratio_and_after_how_many_events_each_alert_fires():
    _, first, _, _, last = reach([GROUNDING])
    assert (first.alert, str(first.line)) == ("page_1h", "0.3")
    assert (first.events_all_bad, first.events_twice_line) == (10, 17)
    assert (str(last.line), last.events_all_bad, last.events_twice_line) == ("0.0625", 10, 100)


def test_reach_has_no_number_of_events_for_more_than_everything():
    (row,) = reach([replace(GROUNDING, objective=Decimal("0.85"), windows=(WINDOWS[1],))])
    assert row.events_twice_line is None


def test_reach_waits_for_the_least_number_of_bad_events():
    rows = reach([replace(GROUNDING, min_bad_events=30)])
    assert [row.events_all_bad for row in rows] == [30] * 5
    assert rows[1].events_twice_line == 50


def test_durations_are_read_in_minutes():
    assert [minutes(text) for text in ("15s", "15m", "6h", "3d", "1w")] == [0.25, 15, 360, 4320, 10080]
