"""What a judge is worth against people: shares, kappa, corrected rate, and intervals that hold what they promise."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.judge.agreement import Confusion, agreement, corrected, kappa
from exporter.judge.intervals import chi_square_limit, correlation, gap, quantile, shifted, wilson

COUNTS = st.integers(0, 400)
TABLES = st.builds(Confusion, pass_pass=COUNTS, pass_fail=COUNTS, fail_pass=COUNTS, fail_fail=COUNTS)


def near(estimate, value, low, high, tolerance=0.0006):
    return [estimate.value, estimate.low, estimate.high] == pytest.approx([value, low, high], abs=tolerance)


def test_pairs_are_counted_by_judge_and_then_by_people():
    pairs = [("pass", "pass")] * 4 + [("pass", "fail")] * 3 + [("fail", "pass")] * 2 + [("fail", "fail")]
    found = Confusion.of(pairs)
    assert found.counts() == ((4, 3), (2, 1))
    assert (found.n, found.human_pass, found.human_fail) == (10, 6, 4)


def test_wilson_is_the_textbook_interval():
    assert near(wilson(81, 263), 0.308, 0.2553, 0.3662)  # Newcombe 1998, table I, method 3
    assert near(wilson(0, 20), 0.0, 0.0, 0.1611)
    assert wilson(0, 0) is None


def test_kappa_and_the_shares_are_those_of_a_table_worked_by_hand():
    found = agreement(Confusion(pass_pass=20, pass_fail=5, fail_pass=10, fail_fail=15))
    assert found.agreement.value == pytest.approx(0.7)
    assert found.kappa.value == pytest.approx(0.4)
    assert found.sensitivity.value == pytest.approx(2 / 3)
    assert found.specificity.value == pytest.approx(3 / 4)
    assert [found.sensitivity.n, found.specificity.n, found.kappa.n] == [30, 20, 50]


def test_the_interval_of_kappa_is_the_large_sample_one_when_the_sample_is_large():
    found = kappa([[2000, 500], [1000, 1500]])
    error = 0.0126996  # Fleiss, Cohen and Everitt's, worked out with a library of matrices
    assert near(found, 0.4, 0.4 - 1.96 * error, 0.4 + 1.96 * error)


def test_kappa_of_three_verdicts_is_that_of_the_table():
    assert kappa([[25, 13, 12], [15, 10, 5], [10, 2, 8]]).value == pytest.approx(0.088)


def test_what_a_table_cannot_say_is_not_said():
    nothing = agreement(Confusion())
    assert (nothing.agreement, nothing.kappa, nothing.sensitivity, nothing.specificity) == (None,) * 4
    only_passes = agreement(Confusion(pass_pass=50))
    assert (only_passes.kappa, only_passes.specificity) == (None, None)
    assert only_passes.agreement.value == 1.0


@given(TABLES)
def test_every_interval_holds_its_value_and_stays_in_range(table):
    found = agreement(table)
    for name, least in (("agreement", 0), ("kappa", -1), ("sensitivity", 0), ("specificity", 0)):
        if one := getattr(found, name):
            assert least <= one.low <= one.value <= one.high <= 1
            assert one.high > one.low


@given(TABLES)
def test_kappa_does_not_care_who_is_called_the_judge_or_what_is_called_a_pass(table):
    (a, b), (c, d) = table.counts()
    found = kappa([[a, b], [c, d]])
    for other in (kappa([[a, c], [b, d]]), kappa([[d, c], [b, a]])):
        assert (found is None) == (other is None)
        assert found is None or [other.value, other.low] == pytest.approx([found.value, found.low])


def test_the_corrected_rate_is_rogan_and_gladens():
    judge = Confusion(pass_pass=90, fail_pass=10, pass_fail=20, fail_fail=80)
    found = corrected(620, 1000, judge)
    assert found.value == pytest.approx((0.62 + 0.8 - 1) / (0.9 + 0.8 - 1))
    assert (round(found.low, 2), round(found.high, 2)) == (0.52, 0.69)
    assert found.n == 1000


def test_more_verdicts_do_not_make_up_for_few_anchors():
    judge = Confusion(pass_pass=90, fail_pass=10, pass_fail=20, fail_fail=80)
    found = corrected(620_000, 1_000_000, judge)
    assert (round(found.low, 2), round(found.high, 2)) == (0.53, 0.67)


def test_a_judge_without_errors_corrects_nothing():
    found = corrected(870, 1000, Confusion(pass_pass=5000, fail_fail=5000))
    assert found.value == 0.87
    assert near(found, 0.87, wilson(870, 1000).low, wilson(870, 1000).high, 0.002)


def test_a_judge_no_better_than_a_coin_has_no_corrected_rate():
    assert corrected(500, 1000, Confusion(pass_pass=50, fail_pass=50, pass_fail=50, fail_fail=50)) is None
    assert corrected(500, 1000, Confusion(pass_pass=10, fail_pass=90, pass_fail=90, fail_fail=10)) is None


@pytest.mark.parametrize("judge", [Confusion(), Confusion(pass_pass=9, fail_pass=1), Confusion(fail_fail=9)])
def test_without_both_kinds_of_labelled_cases_there_is_no_corrected_rate(judge):
    assert corrected(500, 1000, judge) is None
    assert corrected(0, 0, Confusion(pass_pass=9, fail_fail=9)) is None


def test_a_judge_that_may_be_a_coin_says_that_every_rate_is_possible():
    found = corrected(600, 1000, Confusion(pass_pass=7, fail_pass=3, pass_fail=2, fail_fail=2))
    assert (found.low, found.high) == (0.0, 1.0)


@given(TABLES, st.integers(1, 2000), st.floats(0, 1))
def test_the_corrected_rate_stays_a_rate_whatever_the_table(table, judged, share):
    found = corrected(round(share * judged), judged, table)
    assert found is None or 0 <= found.low <= found.value <= found.high <= 1


@given(TABLES, st.integers(100, 2000), st.floats(0, 1))
def test_to_count_fails_instead_of_passes_turns_the_corrected_rate_round(table, judged, share):
    passed = round(share * judged)
    turned = Confusion(
        pass_pass=table.fail_fail, fail_fail=table.pass_pass, pass_fail=table.fail_pass, fail_pass=table.pass_fail
    )
    one, other = corrected(passed, judged, table), corrected(judged - passed, judged, turned)
    assert (one is None) == (other is None)
    assert one is None or [1 - one.value, 1 - one.high, 1 - one.low] == pytest.approx(
        [other.value, other.low, other.high], abs=1e-6
    )


def held(runs, estimate, truth):
    """How often the interval of one random sample after another holds the truth."""
    found = [estimate() for _ in range(runs)]
    known = [one for one in found if one is not None]
    assert len(known) > 0.95 * runs
    return sum(one.low <= truth <= one.high for one in known) / len(known)


@pytest.mark.parametrize(("sensitivity", "specificity"), [(0.9, 0.6), (0.97, 0.85)])
def test_intervals_hold_the_truth_as_often_as_they_say(sensitivity, specificity):
    n, good = 120, 0.8
    draw = random.Random(f"{sensitivity} {specificity}")

    def pair():
        human = draw.random() < good
        right = draw.random() < (sensitivity if human else specificity)
        return ("pass" if human == right else "fail"), ("pass" if human else "fail")

    def table():
        return Confusion.of(pair() for _ in range(n))

    def rate():
        passed = sum(pair()[0] == "pass" for _ in range(400))
        return corrected(passed, 400, table())

    judged = good * sensitivity + (1 - good) * (1 - specificity)
    agreed = good * sensitivity + (1 - good) * specificity
    chance = good * judged + (1 - good) * (1 - judged)
    runs = 400
    assert held(runs, lambda: agreement(table()).agreement, agreed) > 0.91
    assert held(runs, lambda: agreement(table()).kappa, (agreed - chance) / (1 - chance)) > 0.91
    assert held(runs, lambda: agreement(table()).sensitivity, sensitivity) > 0.91
    assert held(runs, lambda: agreement(table()).specificity, specificity) > 0.91
    assert held(200, rate, good) > 0.91


def test_paired_differences_have_agresti_and_mins_interval():
    differences = [1.0] * 59 + [-1.0] * 16 + [0.0] * 1869
    found = shifted(differences)
    middle, n = 43 / 1946, 1946
    half = 1.959964 * ((76 - 43**2 / n) ** 0.5) / n
    assert near(found, 43 / 1944, middle - half, middle + half, 1e-6)
    assert shifted([]) is None


def test_a_gap_needs_both_groups_and_compares_their_means():
    found = gap([1.0] * 60 + [0.0] * 40, [1.0] * 30 + [0.0] * 70)
    assert found.value == pytest.approx(0.3)
    assert 0.15 < found.low < 0.2 < 0.4 < found.high < 0.45
    assert gap([], [1.0]) is None


def test_rank_correlation_knows_order_ties_and_nothing():
    assert correlation([(x, x**3) for x in range(20)]).value == pytest.approx(1.0)
    assert correlation([(x, -x) for x in range(20)]).value == pytest.approx(-1.0)
    tied = correlation([(1, 1), (2, 2), (2, 2), (3, 2), (4, 5), (5, 4), (6, 6), (7, 9), (8, 7), (9, 8)])
    assert tied.value == pytest.approx(0.94158, abs=1e-5)
    assert correlation([(x, 1) for x in range(20)]) is None
    assert correlation([(1, 2)] * 9) is None


def test_quantiles_are_those_of_the_tables():
    assert quantile(0.95) == pytest.approx(1.959964, abs=1e-6)
    assert chi_square_limit(9, 0.999) == pytest.approx(27.877, rel=0.01)
    assert chi_square_limit(4, 0.95) == pytest.approx(9.488, rel=0.01)
