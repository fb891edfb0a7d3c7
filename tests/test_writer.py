import asyncio
import os
import sqlite3

import pytest

from exporter.records.requests import Entry
from exporter.records.traces import Recorded
from exporter.store.changes import Changes
from exporter.store.errors import StoreError
from exporter.store.sqlite.store import SqliteStore
from exporter.store.writer import ThreadedWriter


def entry(number=0, *, signal="traces"):
    return Entry(signal, "application/x-protobuf", "gzip", b"x" * 100, float(number))


def recorded(number, *, totals=(), done=()):
    row = Recorded(number.to_bytes(16, "big"), 0.0, "", "", "", "", b"12345678", b"{}")
    return Changes(traces=[row], totals=list(totals), done=list(done))


@pytest.fixture
def store(tmp_path, clock):
    store = SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}", clock)
    yield store
    store.close()


@pytest.fixture
def events():
    """What happened, in order: ("durable", seq, payload) and ("told", seq, payload)."""
    return []


@pytest.fixture
def commits():
    """The seconds of each commit."""
    return []


@pytest.fixture
def errors():
    """Why something failed, each time."""
    return []


@pytest.fixture
async def writer(store, events, commits, errors):
    def on_durable(seq, _, payload):
        events.append(("durable", seq, payload))

    writer = ThreadedWriter(store, on_durable, on_commit=commits.append, on_error=errors.append)
    await writer.start()
    yield writer
    await writer.stop()


@pytest.fixture
def stall(store):
    """Hold back every commit, as a slow disk does, until released."""
    others = [
        sqlite3.connect(file.path, isolation_level=None, check_same_thread=False) for file in (store, store.journal)
    ]
    for other in others:
        other.execute("BEGIN IMMEDIATE")
    yield lambda: [other.execute("ROLLBACK") for other in others]
    for other in others:
        other.close()


def break_store(store, *, broken=True):
    for file in (store, store.journal):
        break_file(file, broken=broken)


def break_file(file, *, broken=True):
    with file._writing.connection() as connection:
        connection.execute(f"PRAGMA query_only = {broken}")


async def until(holds):
    """Let the writer go on until something holds."""
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110 - the product has no such event
            await asyncio.sleep(0)


async def ask(writer, *entries):
    """Begin to journal entries, and return the tasks that wait for them."""
    tasks = [asyncio.create_task(writer.journal(one, None)) for one in entries]
    await asyncio.sleep(0)
    return tasks


async def test_an_entry_is_durable_when_its_sender_is_told(writer, store):
    assert await writer.journal(entry(7), "payload") == 1
    assert list(store.journal.entries()) == [(1, entry(7))]


async def test_entries_are_handed_on_in_order_before_any_sender_is_told(writer, events):
    async def send(number):
        seq = await writer.journal(entry(number), number)
        events.append(("told", seq, number))

    await asyncio.gather(*(send(number) for number in range(20)))
    assert events == [
        *(("durable", number + 1, number) for number in range(20)),
        *(("told", number + 1, number) for number in range(20)),
    ]


async def test_what_gathers_during_a_commit_goes_into_one_commit(writer, commits, stall):
    first = await ask(writer, entry())
    rest = await ask(writer, *(entry(number) for number in range(30)))
    stall()
    assert await asyncio.gather(*first, *rest) == list(range(1, 32))
    assert len(commits) == 2


async def test_who_waits_for_the_journal_does_not_wait_for_results(writer, store):
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    recording = asyncio.create_task(writer.commit(recorded(1)))
    assert [await writer.journal(entry(), None) for _ in range(3)] == [1, 2, 3]
    assert not recording.done()
    other.execute("ROLLBACK")
    other.close()
    await recording


async def test_what_is_done_leaves_the_journal_by_itself(writer, store):
    for _ in range(3):
        await writer.journal(entry(), None)
    await writer.commit(recorded(1, done=[1, 3]))
    await until(lambda: len(list(store.journal.entries())) == 1)
    assert [seq for seq, _ in store.journal.entries()] == [2]


async def test_what_was_done_before_a_crash_leaves_the_journal_by_itself(tmp_path, clock):
    for _ in range(2):
        store = SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}", clock)
        store.journal.commit([(store.journal.last_seq + 1, entry())])
        store.commit(Changes(done=[store.journal.last_seq]))
        store.close()
    store = SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}", clock)
    writer = ThreadedWriter(store, lambda *_: None)
    await writer.start()
    await until(lambda: store.journal.oldest == 3)
    await writer.stop()
    store.close()


async def test_what_is_done_leaves_the_journal_once_it_can_be_written_again(writer, store):
    await writer.journal(entry(), None)
    break_file(store.journal)
    await writer.commit(recorded(1, done=[1]))
    await until(lambda: writer.problem is not None)
    assert writer.problem == "read_only"
    break_file(store.journal, broken=False)
    await writer.probe()
    assert writer.problem is None
    await until(lambda: not list(store.journal.entries()))


async def test_a_problem_lasts_until_the_same_file_can_be_written(writer, store):
    break_file(store)
    with pytest.raises(StoreError):
        await writer.commit(recorded(1))
    await writer.requests.probe()
    assert writer.problem == "read_only"
    with pytest.raises(StoreError):
        await writer.probe()
    break_file(store, broken=False)
    await writer.probe()
    assert writer.problem is None


async def test_requests_are_refused_while_results_cannot_be_written(writer, store, events):
    break_file(store)
    with pytest.raises(StoreError):
        await writer.commit(recorded(1))
    with pytest.raises(StoreError) as caught:
        await writer.journal(entry(), None)
    assert (caught.value.reason, events, list(store.journal.entries())) == ("read_only", [], [])
    break_file(store, broken=False)
    await writer.commit(recorded(1))
    assert await writer.journal(entry(), None) == 1


async def test_a_large_queue_is_written_in_several_groups(writer, store, commits):
    entries = [Entry("traces", "", "", os.urandom(1000) * 12_000, 0.0) for _ in range(5)]
    assert await asyncio.gather(*(writer.journal(one, None) for one in entries)) == [1, 2, 3, 4, 5]
    assert len(commits) == 3
    assert list(store.journal.entries()) == list(enumerate(entries, 1))


async def test_a_queue_that_is_never_empty_does_not_keep_the_wal_from_being_used_again(writer, store, monkeypatch):
    monkeypatch.setattr(writer.requests, "_most_bytes", 1)
    body = os.urandom(1_000_000)
    await asyncio.gather(*(writer.journal(Entry("traces", "", "", body, 0.0), None) for _ in range(40)))
    assert store.journal.path.with_name("llmq.db.journal-wal").stat().st_size < 20_000_000


async def test_a_failed_group_fails_all_who_wait_and_uses_no_number(writer, store, events, commits, errors):
    break_store(store)
    results = await asyncio.gather(
        writer.journal(entry(), None), writer.journal(entry(), None), writer.commit(recorded(1)), return_exceptions=True
    )
    assert [(type(error), error.reason) for error in results] == [(StoreError, "read_only")] * 3
    assert len({id(error) for error in results}) == 3
    assert (events, commits, errors) == ([], [], ["read_only"] * 2)
    break_store(store, broken=False)
    await writer.probe()
    assert await writer.journal(entry(), "again") == 1
    assert events == [("durable", 1, "again")]


async def test_a_failed_transaction_may_be_tried_again(writer, store):
    transaction = recorded(1, totals=[("a", "[]", "1")])
    break_store(store)
    with pytest.raises(StoreError, match="read-only"):
        await writer.commit(transaction)
    break_store(store, broken=False)
    await writer.commit(transaction)
    assert list(store.rows.totals()) == [("a", "[]", "1")]


async def test_commits_are_written_one_after_the_other_in_the_order_in_which_they_came(writer, store, stall):
    written = [asyncio.create_task(writer.commit(recorded(1, totals=[("a", "[]", str(n))]))) for n in range(5)]
    await asyncio.sleep(0)
    stall()
    await asyncio.gather(*written)
    assert store.rows.totals() == [("a", "[]", "4")]


async def test_only_what_cannot_be_written_fails(writer, store, events):
    results = await asyncio.gather(
        writer.journal(entry(1), 1),
        writer.journal(entry(2, signal="lone surrogate \udcff"), 2),
        writer.journal(entry(3), 3),
        writer.commit(recorded(1)),
        return_exceptions=True,
    )
    assert (results[0], results[2:]) == (1, [2, None])
    assert (results[1].reason, str(results[1])) == ("internal", "UnicodeEncodeError")
    assert events == [("durable", 1, 1), ("durable", 2, 3)]
    assert list(store.journal.entries()) == [(1, entry(1)), (2, entry(3))]


async def test_a_sender_who_leaves_changes_nothing_for_the_others(writer, store, events, stall):
    waiting = await ask(writer, entry(1), entry(2), entry(3))
    waiting[1].cancel()
    stall()
    assert [await waiting[0], await waiting[2]] == [1, 3]
    assert waiting[1].cancelled()
    assert [seq for _, seq, _ in events] == [1, 2, 3]
    assert [seq for seq, _ in store.journal.entries()] == [1, 2, 3]


async def test_a_recorder_who_leaves_does_not_block_the_next(writer, store, commits, stall):
    recording = asyncio.create_task(writer.commit(recorded(1)))
    await asyncio.sleep(0)
    recording.cancel()
    stall()
    await until(lambda: commits)
    await writer.commit(recorded(2))
    assert len(store.rows.known([(number).to_bytes(16, "big") for number in (1, 2)])) == 2


async def test_a_fault_in_handing_on_is_told_to_its_sender_alone(store):
    def hand_on(seq, one, payload):
        if payload == "bad":
            raise ZeroDivisionError

    writer = ThreadedWriter(store, hand_on)
    await writer.start()
    good, bad, last = await asyncio.gather(
        *(writer.journal(entry(), payload) for payload in ("good", "bad", "good")), return_exceptions=True
    )
    assert (good, type(bad), last) == (1, ZeroDivisionError, 3)
    assert [seq for seq, _ in store.journal.entries()] == [1, 2, 3]
    await writer.stop()


async def test_stopping_writes_what_waits_and_refuses_what_comes(writer, store, stall):
    waiting = await ask(writer, *(entry(number) for number in range(5)))
    recording = asyncio.create_task(writer.commit(recorded(1)))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(writer.stop())
    await asyncio.sleep(0)
    for late in (writer.journal(entry(), None), writer.commit(recorded(2)), writer.prune(None, None)):
        with pytest.raises(StoreError) as caught:
            await late
        assert caught.value.reason == "closed"
    stall()
    await stopping
    assert await asyncio.gather(*waiting, recording) == [1, 2, 3, 4, 5, None]
    assert len(list(store.journal.entries())) == 5


async def test_what_becomes_done_while_the_last_request_is_written_leaves_the_journal(writer, store):
    await writer.journal(entry(1), None)
    other = sqlite3.connect(store.journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = await ask(writer, entry(2))
    await writer.commit(recorded(1, done=[1]))
    stopping = asyncio.create_task(writer.stop())
    for _ in range(100):
        await asyncio.sleep(0)
    other.execute("ROLLBACK")
    other.close()
    await stopping
    assert await waiting[0] == 2
    assert [seq for seq, _ in store.journal.entries()] == [2]


async def test_pruning_takes_its_turn_between_groups(writer, store, clock):
    await writer.commit(recorded(1))
    assert await writer.prune(3600, None) == 1
    assert await writer.prune(3600, None) == 0
    assert store.rows.known([(1).to_bytes(16, "big")]) == {}


async def test_a_failed_pruning_is_told_and_counted(writer, store, errors):
    await writer.commit(recorded(1))
    break_store(store)
    with pytest.raises(StoreError, match="read-only"):
        await writer.prune(3600, None)
    assert errors == ["read_only"]
    break_store(store, broken=False)
    assert await writer.prune(3600, None) == 1


async def test_numbers_go_on_after_a_restart(tmp_path, clock, events):
    for expected in (1, 2, 3):
        store = SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}", clock)
        writer = ThreadedWriter(store, lambda *event: events.append(event))
        await writer.start()
        assert await writer.journal(entry(), None) == expected
        await writer.commit(recorded(expected, done=[expected]))
        await writer.stop()
        store.close()


async def test_commits_are_timed_by_the_clock(store, commits):
    ticks = iter([1.0, 1.5, 10.0, 12.0])
    writer = ThreadedWriter(store, lambda *_: None, on_commit=commits.append, clock=lambda: next(ticks))
    await writer.start()
    await writer.journal(entry(), None)
    await writer.commit(Changes())
    assert commits == [0.5, 2.0]
    await writer.stop()


async def test_the_loop_goes_on_while_the_disk_is_slow(writer, stall):
    waiting = await ask(writer, entry())
    for _ in range(1000):
        await asyncio.sleep(0)
    assert not waiting[0].done()
    stall()
    assert await waiting[0] == 1
