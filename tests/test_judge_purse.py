"""The budget: never more than its limits, to the micro-dollar, by threads and processes that race, over restarts."""

import multiprocessing
import random
import sqlite3
import threading
import time
from contextlib import closing
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.judge.budget import Cap, Caps, Cost, Spent, Tariff
from exporter.judge.case import Usage
from exporter.store.errors import StoreError
from exporter.store.sqlite.spend_ledger import LedgerFile

HOUR, DAY = 3600.0, 86400.0
NOON = 1_790_000_000.0 // DAY * DAY + DAY / 2


@pytest.fixture
def opened(tmp_path, clock):
    """Opens the same ledger as often as asked, and closes all in the end."""
    clock.at = NOON
    purses = []

    def purse(caps, now=clock, path=tmp_path / "ledger.db"):
        purses.append(LedgerFile(path, caps, now=now))
        return purses[-1]

    yield purse
    for one in purses:
        one.close()


def day(*, tokens=None, micros=None, set_aside=0.0):
    return Caps(day=Cap(tokens=tokens, micros=micros), set_aside=set_aside)


@pytest.mark.parametrize(
    ("caps", "limit"),
    [
        (Caps(hour=Cap(tokens=100)), "hour_tokens"),
        (Caps(hour=Cap(micros=1000)), "hour_dollars"),
        (Caps(day=Cap(tokens=100)), "day_tokens"),
        (Caps(day=Cap(micros=1000)), "day_dollars"),
    ],
)
def test_a_call_that_fits_is_reserved_and_one_more_names_the_limit(opened, caps, limit):
    purse = opened(caps)
    assert purse.reserve(60, 600) == 1
    assert purse.reserve(41, 401) == limit
    assert purse.reserve(40, 400) == 2
    assert purse.reserve(1, 1) == limit


def test_settling_gives_back_what_was_not_billed(opened):
    purse = opened(day(micros=1000))
    purse.settle(purse.reserve(10, 900), 5, 100)
    assert purse.spent() == Spent(hour_tokens=5, hour_micros=100, day_tokens=5, day_micros=100)
    assert isinstance(purse.reserve(10, 900), int)
    assert purse.reserve(0, 1) == "day_dollars"


def test_settling_twice_counts_once(opened):
    purse = opened(day(micros=1000))
    first = purse.reserve(10, 500)
    purse.settle(first, 1, 100)
    purse.settle(first, 1, 0)
    assert purse.spent().day_micros == 100


def test_what_was_billed_above_the_reservation_is_counted_and_stops_the_next_call(opened):
    purse = opened(day(micros=1000))
    purse.settle(purse.reserve(10, 500), 10, 1200)
    assert purse.spent().day_micros == 1200
    assert purse.reserve(0, 1) == "day_dollars"


def test_the_hour_rolls_over_and_the_day_goes_on(opened, clock):
    purse = opened(Caps(hour=Cap(micros=100), day=Cap(micros=250)))
    for expected in (1, "hour_dollars"):
        assert purse.reserve(1, 100) == expected
    clock.move(HOUR)
    assert purse.reserve(1, 100) == 2
    clock.move(HOUR)
    assert purse.reserve(1, 100) == "day_dollars"
    assert purse.reserve(1, 50) == 3


def test_the_day_rolls_over_at_midnight_of_utc(opened, clock):
    purse = opened(day(micros=100))
    assert purse.reserve(1, 100) == 1
    clock.at = NOON + DAY / 2 - 0.001
    assert purse.reserve(1, 1) == "day_dollars"
    clock.at = NOON + DAY / 2
    assert purse.reserve(1, 100) == 2
    assert purse.spent() == Spent(hour_tokens=1, hour_micros=100, day_tokens=1, day_micros=100)


def test_a_call_over_midnight_is_the_old_days(opened, clock):
    purse = opened(day(micros=100))
    clock.at = NOON + DAY / 2 - 1
    late = purse.reserve(1, 100)
    clock.move(2)
    purse.settle(late, 1, 90)
    assert purse.spent().day_micros == 0
    clock.move(-2)
    assert purse.spent().day_micros == 90


def test_hard_cases_leave_what_is_set_aside_for_the_sample(opened):
    purse = opened(day(micros=1000, set_aside=0.8))
    assert isinstance(purse.reserve(1, 200, targeted=True), int)
    assert purse.reserve(1, 1, targeted=True) == "day_dollars"
    assert isinstance(purse.reserve(1, 800), int)
    assert purse.reserve(1, 1) == "day_dollars"
    assert (purse.spent().targeted_day_micros, purse.spent().day_micros) == (200, 1000)


def test_the_sample_may_spend_everything_and_then_hard_cases_have_nothing(opened):
    purse = opened(day(micros=1000, set_aside=0.8))
    assert isinstance(purse.reserve(1, 1000), int)
    assert purse.reserve(1, 1, targeted=True) == "day_dollars"


def test_a_restart_forgets_nothing_and_what_was_in_flight_stays_spent(opened, tmp_path, clock):
    purse = opened(day(micros=1000))
    purse.settle(purse.reserve(1, 300), 1, 200)
    purse.reserve(1, 300)
    purse.close()
    again = opened(day(micros=1000))
    assert again.spent().day_micros == 500
    assert again.reserve(1, 501) == "day_dollars"


def test_old_entries_go(opened, clock, tmp_path):
    purse = opened(Caps())
    for _ in range(100):
        purse.settle(purse.reserve(1, 1), 1, 1)
        purse.reserve(1, 1)
        clock.move(DAY)
    purse.settle(purse.reserve(1, 1), 1, 1)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as reading, reading:
        counts = [reading.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("spent", "reserved")]
    reading.close()
    assert max(counts) <= 64


def test_the_ledger_is_readable_by_its_owner_only(opened, tmp_path):
    opened(Caps())
    assert (tmp_path / "ledger.db").stat().st_mode & 0o077 == 0


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE theirs(x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="the database of another program") as error:
        LedgerFile(path, Caps())
    assert error.value.reason == "foreign"
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreError) as error:
        LedgerFile(tmp_path / "x", Caps())
    assert error.value.reason == "corrupt"


# The race: threads and processes that share a ledger and spend what they can.

LIMIT = 50_021


def spend(path, seed, calls):
    """Four workers of one replica: reserve, perhaps settle for less; the micro-dollars that were billed."""
    purse = LedgerFile(path, day(micros=LIMIT), now=lambda: NOON)
    billed = []

    def worker(number):
        chance = random.Random(f"{seed} {number}")
        for _ in range(calls):
            most = chance.randint(1, 997)
            reservation = purse.reserve(most, most)
            if isinstance(reservation, int):
                cost = chance.randint(0, most)
                billed.append(cost)
                purse.settle(reservation, cost, cost)

    workers = [threading.Thread(target=worker, args=(number,)) for number in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    purse.close()
    return sum(billed)


def replica(path, seed, calls, start, results):
    start.wait(timeout=120)
    results.put(spend(path, seed, calls))


def test_four_workers_in_each_of_two_processes_never_spend_more_than_the_budget(tmp_path):
    path = tmp_path / "ledger.db"
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    start = context.Barrier(2)
    replicas = [context.Process(target=replica, args=(path, seed, 60, start, results)) for seed in range(2)]
    for one in replicas:
        one.start()
    billed = sum(results.get(timeout=120) for _ in replicas)
    for one in replicas:
        one.join()
    results.close()
    purse = LedgerFile(path, day(micros=LIMIT), now=lambda: NOON)
    spent = purse.spent().day_micros
    left = [purse.reserve(0, micros) for micros in (LIMIT - spent + 1, LIMIT - spent)]
    purse.close()
    assert spent == billed <= LIMIT
    assert spent > LIMIT - 997
    assert left[0] == "day_dollars"
    assert isinstance(left[1], int)


def hold(path, ready):
    """A replica that dies with a reservation in hand."""
    purse = LedgerFile(path, day(micros=1000), now=lambda: NOON)
    purse.reserve(1, 700)
    ready.set()
    time.sleep(60)


def test_what_a_killed_process_had_reserved_stays_spent(tmp_path):
    path = tmp_path / "ledger.db"
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    victim = context.Process(target=hold, args=(path, ready))
    victim.start()
    try:
        assert ready.wait(timeout=120)
    finally:
        victim.kill()
        victim.join()
    purse = LedgerFile(path, day(micros=1000), now=lambda: NOON)
    found = [purse.spent().day_micros, purse.reserve(1, 301), purse.reserve(1, 300)]
    purse.close()
    assert found[:2] == [700, "day_dollars"]
    assert isinstance(found[2], int)


# What a call costs


def test_a_cost_is_in_micro_dollars_and_rounded_up():
    tariff = Tariff.of(0.15, 0.6)
    assert tariff.cost(Usage(1000, 100)) == Cost(1100, 210)
    assert tariff.cost(Usage(1, 0)) == Cost(1, 1)
    assert tariff.cost(Usage()) == Cost(0, 0)


def test_a_model_without_a_price_costs_tokens_alone():
    assert Tariff().cost(Usage(7, 3)) == Cost(10, 0)


PRICE = st.decimals(0, 1000, places=3, allow_nan=False)


@given(PRICE, PRICE, st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 100_000)), max_size=20))
def test_the_sum_of_costs_is_never_below_the_exact_bill_and_at_most_a_micro_dollar_a_call_above(price, other, calls):
    tariff = Tariff.of(float(price), float(other))
    exact = sum(Fraction(price) * told + Fraction(other) * said for told, said in calls)
    counted = sum(tariff.cost(Usage(*call)).micros for call in calls)
    assert exact <= counted <= exact + len(calls)
    assert tariff.input == Decimal(str(float(price)))
