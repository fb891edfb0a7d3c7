import os

from exporter.store.sqlite.seen_ids import SeenIds


def some(count):
    return [os.urandom(16) for _ in range(count)]


def test_what_was_added_is_always_held():
    first, later = some(2000), some(2000)
    sieve = SeenIds(iter(first))
    sieve.add(later)
    assert sieve.may_hold(first + later) == first + later


def test_nearly_nothing_else_is_held():
    sieve = SeenIds(some(100_000))
    assert len(sieve.may_hold(some(10_000))) < 100


def test_an_empty_sieve_holds_nothing():
    assert SeenIds().may_hold(some(100)) == []


def test_only_generations_whose_rows_are_all_gone_are_forgotten():
    first, second, third = some(10), some(10), some(10)
    sieve = SeenIds(first, capacity=10)
    sieve.add(second)
    assert sieve.is_full
    sieve.next_generation(last_row=20)
    assert not sieve.is_full
    sieve.add(third)
    sieve.forget(first_row=20)
    assert sieve.may_hold(first + second + third) == first + second + third
    sieve.forget(first_row=21)
    assert sieve.may_hold(first + second + third) == third
    sieve.forget(first_row=1 << 62)
    assert sieve.may_hold(third) == third
