"""Searches of recorded answers: what is found, in which order, where the next goes on, how far each goes."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest

from exporter.recording.trace_document import failed_by, signalled
from exporter.records.traces import Recorded
from exporter.store.changes import Changes
from exporter.store.errors import StoreError
from exporter.store.search import NEWEST, Search
from exporter.store.searching import Searching
from exporter.store.sqlite.answers import AnswersIndex
from exporter.store.sqlite.store import SqliteStore

GROUNDING, REFUSAL, DISLIKED = failed_by("grounding"), failed_by("refusal"), signalled("thumbs_down")


@pytest.fixture
def store(tmp_path):
    opened = SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}")
    yield opened
    opened.close()


@pytest.fixture
def answers(store):
    opened = Searching(AnswersIndex(store.path))
    yield opened
    opened.close()


def row(number, *, at=0.0, app="shop", route="/ask", marks="", document=b'{"answer": "yes"}'):
    return Recorded(number.to_bytes(16, "big"), at, app, route, "m", "p", b"12345678", document, marks=marks)


def record(store, *rows):
    store.commit(Changes(traces=list(rows)))


def number(found):
    return int.from_bytes(found.trace_id, "big")


async def found(answers, **wanted):
    return (await answers.find(Search(**wanted), number)).found


async def test_the_newest_come_first_those_of_one_moment_in_the_order_in_which_they_were_recorded(store, answers):
    record(store, row(1, at=5.0), row(2, at=9.0, app="z"), row(3, at=9.0, app="a"), row(4, at=7.0))
    assert await found(answers) == [3, 2, 4, 1]


async def test_everything_that_is_asked_for_must_hold(store, answers):
    record(
        store,
        row(1, marks=GROUNDING + DISLIKED),
        row(2, marks=GROUNDING),
        row(3, app="chat", marks=GROUNDING),
        row(4, marks=REFUSAL),
        row(5, route="/other"),
    )
    assert await found(answers, where={"app": ("shop",), "route": ("/ask",)}) == [4, 2, 1]
    assert await found(answers, where={"app": ("chat", "nobody")}) == [3]
    assert await found(answers, marks=((GROUNDING,),)) == [3, 2, 1]
    assert await found(answers, marks=((GROUNDING, REFUSAL),)) == [4, 3, 2, 1]
    assert await found(answers, marks=((GROUNDING,), (DISLIKED,))) == [1]
    assert await found(answers, marks=((failed_by(),),), where={"app": ("shop",)}) == [4, 2, 1]


async def test_times_are_from_then_on_and_before_then(store, answers):
    record(store, *(row(at, at=float(at)) for at in range(1, 10)))
    assert await found(answers, since=3.0, until=6.0) == [5, 4, 3]


async def test_what_has_no_document_or_was_forgotten_is_not_found(store, answers):
    record(store, row(1), row(2, document=b"", marks="-"), row(3))
    gone = Changes()
    gone.forget((3).to_bytes(16, "big"))
    store.commit(gone)
    assert await found(answers) == [1]
    assert await answers.one((3).to_bytes(16, "big")) is None
    assert (await answers.one((1).to_bytes(16, "big"))).document == b'{"answer": "yes"}'


async def test_a_new_document_brings_its_marks(store, answers):
    record(store, row(1))
    said = Changes()
    said.rewrite((1).to_bytes(16, "big"), b"{}", DISLIKED)
    store.commit(said)
    assert await found(answers, marks=((DISLIKED,),)) == [1]


async def test_pages_follow_each_other_and_what_is_recorded_meanwhile_moves_nothing(store, answers):
    record(store, *(row(n, at=float(n // 3)) for n in range(1, 101)))
    seen, place = [], NEWEST
    while place is not None:
        page = await answers.find(Search(), number, place, 7)
        seen += page.found
        place = page.next
        record(store, row(1000 + len(seen), at=1000.0))
    assert seen == list(range(100, 0, -1))


@pytest.mark.parametrize(("walked", "read"), [(10, 1000), (1000, 3)])
async def test_a_search_ends_after_so_much_and_the_next_goes_on_there(store, walked, read):
    record(store, *(row(n, at=float(n // 3), app="rare" if n == 5 else "shop") for n in range(1, 101)))
    with closing(Searching(AnswersIndex(store.path), walked=walked, read=read)) as answers:
        searches, place, seen = 0, NEWEST, []
        while place is not None:
            page = await answers.find(
                Search(where={"app": ("rare", "shop")}), lambda one: number(one) if one.app == "rare" else None, place
            )
            searches, place, seen = searches + 1, page.next, seen + page.found
    assert seen == [5]
    assert 100 / min(walked, read) <= searches <= 100 / min(walked, read) + 1


async def test_a_document_is_read_only_where_the_rest_is_right_and_the_pattern_fits(store, answers):
    record(
        store, row(1, document=b'{"answer": "Refund"}'), row(2, app="chat", document=b'{"answer": "refund"}'), row(3)
    )
    read = []
    await answers.find(Search(where={"app": ("shop",)}, pattern="%refund%"), read.append)
    assert [number(one) for one in read] == [1]


async def test_a_search_holds_up_no_other_reader_and_nothing_else(store, answers):
    record(store, *(row(n) for n in range(1, 4)))
    entered, leave = threading.Event(), threading.Event()

    def slowly(_):
        entered.set()
        leave.wait(60)

    searching = asyncio.create_task(answers.find(Search(), slowly))
    await asyncio.to_thread(entered.wait, 60)
    record(store, row(9))
    assert store.rows.document((9).to_bytes(16, "big")) is not None
    leave.set()
    await searching


async def test_the_search_walks_the_index_and_sorts_nothing(store):
    with closing(sqlite3.connect(store.path)) as connection:
        where = "(recorded_at, id) < (9e9, 9) AND recorded_at >= 0 AND app IN ('a') AND marks <> '-'"
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT document FROM traces WHERE {where} ORDER BY recorded_at DESC, id DESC"
        ).fetchall()
    assert [line[-1].partition(" (")[0] for line in plan] == ["SEARCH traces USING INDEX traces_found"]


async def test_a_store_that_cannot_be_read_is_a_store_error(tmp_path):
    with closing(Searching(AnswersIndex(tmp_path / "nothing.db"))) as answers, pytest.raises(StoreError):
        await answers.find(Search(), number)
