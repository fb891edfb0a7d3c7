"""What every store promises, whichever database is under it.

Atomicity, idempotency, order, isolation, recovery, bounds. A backend is one branch of ``opening``, and one of
``open_ledger``: how a store or a ledger of it is opened, again and again, on the same data.
"""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from exporter.judge.agreement import Confusion
from exporter.judge.anchors import Cursor
from exporter.judge.budget import Cap, Caps
from exporter.judge.case import Case
from exporter.judge.gate import ScoredAnchor, Standing
from exporter.judge.queue import Job
from exporter.records.erasure import Erasure
from exporter.records.feedback import EarlyFeedback, Feedback, Turn
from exporter.records.judge import AnchorVerdicts, LiveTraffic, LiveVerdict
from exporter.records.review import Claim, Evidence, Item
from exporter.records.suites import Gap, Suite, SuiteResult
from exporter.records.traces import NO_ANSWER, KnownParts, Place, Recorded
from exporter.runtime.clock import KeptTime
from exporter.store.changes import Changes
from exporter.store.errors import StoreError
from exporter.store.postgresql.connection import Target
from exporter.store.postgresql.spend_ledger import LedgerTables
from exporter.store.postgresql.store import PostgresStore
from exporter.store.spending import ThreadedLedger
from exporter.store.sqlite.spend_ledger import LedgerFile
from exporter.store.sqlite.store import SqliteStore as SqliteFiles
from exporter.store.writer import ThreadedWriter

WHERE = ("shop", "/ask", "m-1", "7")


@asynccontextmanager
async def sqlite(folder, now):
    """A SQLite store in a folder."""
    files = SqliteFiles.open(f"sqlite:///{folder / 'llmq.db'}", now)
    writer = ThreadedWriter(files, lambda *_: None)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.stop()
        files.close()


@asynccontextmanager
async def postgresql(folder, now, target):
    """A PostgreSQL store in a schema."""
    opened = PostgresStore(target, "main", folder / "llmq", now)
    writer = ThreadedWriter(opened, lambda *_: None)
    await writer.start()
    try:
        yield writer
    finally:
        await writer.stop()
        opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def opening(request, tmp_path, clock):
    """Opens the store of a backend; each time the same one."""
    if request.param == "sqlite":
        return lambda: sqlite(tmp_path, clock)
    target = Target(request.getfixturevalue("postgres").url, f"test_{uuid4().hex}")
    return lambda: postgresql(tmp_path, clock, target)


@pytest.fixture
async def store(opening):
    async with opening() as opened:
        yield opened


def trace(number, *, at=1000.0, document=b'{"a":1}', **fields):
    return Recorded(number.to_bytes(16, "big"), at, *WHERE, number.to_bytes(8, "big"), document, **fields)


def trace_id(number):
    return number.to_bytes(16, "big")


def job(number, **fields):
    about = {"evaluator": "helpfulness", "version": "m+1", "role": "acting", "sample": "random", "where": WHERE}
    case = Case(question="Refunds?", answer="Yes.")
    return Job(trace_id=f"{number:032x}", case=case, created_at=1.0, due_at=float(number), **about, **fields)


def item(number, **fields):
    about = {"reason": "control", "why": ("control",), "where": WHERE, "ask": ("helpfulness",), "annotators": 1}
    return Item(trace_id=f"{number:032x}", created_at=float(number), ready_at=0.0, **about, **fields)


def early(reference, at=1.0):
    feedback = Feedback(signal="thumbs_down", by="response", reference=reference, id=b"12345678", comment="no")
    return EarlyFeedback(feedback=feedback, received_at=at, look_at=at + 5)


SAID = ScoredAnchor(anchor="1", key="k", human="pass", judge="fail", score=0.25)
LIVE = LiveVerdict(0.5, "pass", 7, None)
RECORDS = {
    "early_feedback": (7, early("r-1")),
    "conversations": (b"shop\0/ask\0c", Turn(trace_id(1), WHERE, 1.0, None, None, "error")),
    "judge_jobs": (job(1).key, job(1)),
    "judge_samplers": ("main", b'[["helpfulness",[],1,1,0.5,[1]]]'),
    "judge_standings": ("helpfulness", Standing(acting="m+1")),
    "judge_anchors": (("helpfulness", "m+1", "k"), AnchorVerdicts(SAID, SAID)),
    "judge_drips": ("helpfulness again", Cursor(after="k", due=5.0)),
    "judge_reviews": (("helpfulness", "m+1"), Confusion(pass_fail=3)),
    "judge_traffic": (("helpfulness", "m+1"), LiveTraffic([LIVE], [LIVE, LIVE])),
    "review_items": (f"{1:032x}", item(1, claims=(Claim(reviewer="eve", at=1.0, until=2.0),))),
    "review_evidence": (f"{1:032x}", Evidence(question="Refunds? ☂", answer="Yes.")),
    "suite_results": (b"k" * 16, SuiteResult("s", "e", "1", "shop", "m", "p", "run", 5.0, 10, 9, 0.5)),
    "suite_questions": (b"k" * 16, Suite("s", "shop", "run", 5.0, (b"\0" * 128,))),
    "suite_gaps": (b"k" * 16, Gap("shop", "/ask", b"\1" * 128, trace_id(1), trace_id(2), 1.0, 2.0, 4)),
    "erasures": (b"user x", Erasure(user="ada@example.com")),
    "clocks": ("main", KeptTime("boot", 1.0, 2.0, 3.0, 4.0)),
    "content_retention": ("main", Place(5.0, 6)),
}
IDS = ("feedback_ids", "compared_failures", "tombstones")


# What is written comes back.


@pytest.mark.parametrize("name", RECORDS)
async def test_a_record_comes_back_as_it_was_also_after_a_restart(opening, name):
    key, record = RECORDS[name]
    async with opening() as store, store.work() as work:
        getattr(work, name).put(key, record, at=3.0)
    async with opening() as store, store.work() as work:
        assert await getattr(work, name).get(key) == record
        assert await getattr(work, name).all() == [(key, record)]


@pytest.mark.parametrize("name", RECORDS)
async def test_a_record_is_replaced_by_its_key_and_dropped_by_it(store, name):
    key, record = RECORDS[name]
    for _ in range(2):
        async with store.work() as work:
            getattr(work, name).put(key, record)
    async with store.work() as work:
        assert len(await getattr(work, name).all()) == 1
        getattr(work, name).drop(key)
    async with store.work() as work:
        assert await getattr(work, name).get(key) is None
        assert await getattr(work, name).all() == []


async def test_every_repository_of_records_is_tried_here(store):
    async with store.work() as work:
        assert {name for name in vars(work) if hasattr(getattr(work, name), "put")} == {*RECORDS, *IDS, "totals"}


async def test_records_come_in_the_order_of_their_times_then_of_their_keys(store):
    async with store.work() as work:
        for number, at in ((1, 5.0), (2, 3.0), (3, 5.0), (4, 0.0)):
            work.early_feedback.put(number, early(f"r-{number}"), at=at)
    async with store.work() as work:
        assert [number for number, _ in await work.early_feedback.all()] == [4, 2, 1, 3]


@pytest.mark.parametrize("name", IDS)
async def test_ids_are_known_with_their_times_until_they_are_dropped_or_old(store, name):
    async with store.work() as work:
        for number in range(1, 601):
            getattr(work, name).put(number.to_bytes(8, "big"), at=float(number))
    async with store.work() as work:
        ids = getattr(work, name)
        asked = [number.to_bytes(8, "big") for number in (1, 600, 601, 0)]
        assert await ids.among(asked) == {*asked[:2]}
        assert list((await ids.all()).values()) == [float(number) for number in range(1, 601)]
        ids.drop(asked[1])
        ids.drop_older(500.0, 100)
    async with store.work() as work:
        assert list((await getattr(work, name).all()).values()) == [float(number) for number in range(101, 600)]


async def test_a_trace_is_known_by_its_parts_and_found_by_the_ids_that_name_it(store):
    async with store.work() as work:
        work.traces.add(trace(1, response_id="r", conversation_id="c", user="u"))
        work.traces.add(trace(2, conversation_id="c", user="u"))
        work.traces.add(trace(3, document=b""))
        work.traces.add_parts(trace_id(2), [b"AAAAAAAA", b"BBBBBBBB"])
    async with store.work() as work:
        assert await work.traces.known([trace_id(n) for n in range(1, 9)]) == {
            trace_id(1): KnownParts((1).to_bytes(8, "big"), bare=False),
            trace_id(2): KnownParts((2).to_bytes(8, "big") + b"AAAAAAAABBBBBBBB", bare=False),
            trace_id(3): KnownParts((3).to_bytes(8, "big"), bare=True),
        }
        found = [("response", "r"), ("conversation", "c"), ("user", "u"), ("trace", trace_id(1))]
        assert [(await work.traces.find(by, value)).trace_id for by, value in found] == [
            trace_id(number) for number in (1, 2, 2, 1)
        ]
        assert await work.traces.find("response", "x") is None
        assert await work.traces.find("trace", trace_id(3)) is None
        assert await work.traces.of_user(["u"]) == [trace_id(1), trace_id(2)]


async def test_who_asked_may_become_known_later(store):
    async with store.work() as work:
        work.traces.add(trace(1))
    async with store.work() as work:
        work.traces.set_asker(trace_id(1), "c", "u")
    async with store.work() as work:
        assert (await work.traces.find("conversation", "c")).trace_id == trace_id(1)


async def test_a_document_is_replaced_and_a_forgotten_trace_keeps_its_parts_alone(store):
    async with store.work() as work:
        work.traces.add(trace(1, user="u"))
        work.traces.rewrite(trace_id(1), b'{"a":2}', NO_ANSWER)
    async with store.work() as work:
        assert await work.traces.document(trace_id(1)) == b'{"a":2}'
        work.traces.forget(trace_id(1))
    async with store.work() as work:
        assert await work.traces.document(trace_id(1)) is None
        assert await work.traces.of_user(["u"]) == []
        assert trace_id(1) in await work.traces.known([trace_id(1)])


async def test_recording_a_trace_again_replaces_it(store):
    for document in (b"", b'{"a":2}'):
        async with store.work() as work:
            work.traces.add(trace(1, document=document))
    async with store.work() as work:
        assert await work.traces.document(trace_id(1)) == b'{"a":2}'


async def test_totals_are_absolute_and_dropped_before_they_are_set(store):
    async with store.work() as work:
        work.totals.put([("a", "[1]", "5"), ("a", "[2]", "7"), ("b", "[1]", "9")])
    async with store.work() as work:
        work.totals.put([("a", "[1]", "6")])
        work.totals.drop([("a", "[1]"), ("a", "[2]")])
    assert sorted(await store.reads.totals()) == [("a", "[1]", "6"), ("b", "[1]", "9")]


async def test_how_far_the_journal_is_counted_only_goes_up(store):
    for seq in (5, 3, 7, 6):
        async with store.work() as work:
            work.journal.counted(seq)
            work.totals.put([("a", "[]", str(seq))])
    assert await store.reads.watermark() == 7


# Atomicity: all or nothing.


class InterruptedWorkError(Exception):
    """Something that a unit of work did not foresee."""


async def interrupted(store, write):
    """A unit of work that writes something, and then raises."""

    async def work_and_raise():
        async with store.work() as work:
            write(work)
            raise InterruptedWorkError

    with pytest.raises(InterruptedWorkError):
        await work_and_raise()


def write_a_bit_of_everything(work):
    work.traces.add(trace(1))
    work.feedback_ids.put(b"12345678", at=1.0)
    work.totals.put([("a", "[]", "1")])
    for name, (key, record) in RECORDS.items():
        getattr(work, name).put(key, record)


async def is_empty(store):
    async with store.work() as work:
        records = [await getattr(work, name).all() for name in RECORDS]
        ids = [await getattr(work, name).all() for name in IDS]
        return not any([*records, *ids, await work.traces.known([trace_id(1)]), await store.reads.totals()])


async def test_a_unit_of_work_that_raises_has_written_nothing(store):
    await interrupted(store, write_a_bit_of_everything)
    assert await is_empty(store)


async def test_a_unit_of_work_that_is_cancelled_has_written_nothing_and_blocks_nobody(store):
    begun = asyncio.Event()

    async def never_ends():
        async with store.work() as work:
            write_a_bit_of_everything(work)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never_ends())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await is_empty(store)


async def test_what_cannot_be_written_takes_its_whole_unit_of_work_with_it(store):
    async def write():
        async with store.work() as work:
            write_a_bit_of_everything(work)
            work.totals.put([("a", "[]", None)])

    with pytest.raises(StoreError):
        await write()
    assert await is_empty(store)
    async with store.work() as work:
        write_a_bit_of_everything(work)
    assert not await is_empty(store)


async def test_thousands_of_rows_are_one_unit_of_work(store):
    async with store.work() as work:
        for number in range(1, 3001):
            work.traces.add(trace(number))
            work.judge_jobs.put(job(number).key, job(number))
        work.totals.put([("a", f"[{number}]", "1") for number in range(3000)])
    async with store.work() as work:
        assert len(await work.traces.known([trace_id(number) for number in range(4000)])) == 3000
        assert len(await work.judge_jobs.all()) == len(await store.reads.totals()) == 3000
        for number in range(1, 3001):
            work.judge_jobs.drop(job(number).key)
    async with store.work() as work:
        assert await work.judge_jobs.all() == []


# Idempotency: the same again changes nothing.


async def test_the_same_changes_may_be_committed_again(store):
    changes = Changes(traces=[trace(1), trace(2)], totals=[("a", "[]", "1")], done=[1], watermark=1)
    changes.rewrite(trace_id(1), b'{"a":2}', NO_ANSWER)
    for _ in range(3):
        await store.commit(changes)
    async with store.work() as work:
        assert await work.traces.document(trace_id(1)) == b'{"a":2}'
        assert set(await work.traces.known([trace_id(1), trace_id(2)])) == {trace_id(1), trace_id(2)}
    assert (await store.reads.totals(), await store.reads.watermark()) == ([("a", "[]", "1")], 1)


async def test_dropping_what_is_not_there_is_nothing(store):
    async with store.work() as work:
        for name, (key, _) in RECORDS.items():
            getattr(work, name).drop(key)
        work.feedback_ids.drop(b"12345678")
        work.totals.drop([("a", "[]")])
        work.traces.forget(trace_id(1))
    assert await is_empty(store)


# Order and isolation: one unit of work after the other.


async def test_a_unit_of_work_reads_what_it_wrote(store):
    async with store.work() as work:
        work.judge_jobs.put(job(1).key, job(1), at=1.0)
        work.judge_jobs.put(job(2).key, job(2), at=0.0)
        work.feedback_ids.put(b"1", at=1.0)
        work.traces.add(trace(1, user="u"))
        assert [found for _, found in await work.judge_jobs.all()] == [job(2), job(1)]
        work.judge_jobs.drop(job(1).key)
        assert await work.judge_jobs.get(job(1).key) is None
        assert await work.feedback_ids.among([b"1", b"2"]) == {b"1"}
        assert await work.traces.of_user(["u"]) == [trace_id(1)]
        assert await work.traces.document(trace_id(1)) == b'{"a":1}'


async def test_what_is_not_durable_yet_is_read_by_nobody_else(store):
    async with store.work() as work:
        work.traces.add(trace(1))
        work.totals.put([("a", "[]", "1")])
        assert await store.reads.document(trace_id(1)) is None
        assert await store.reads.totals() == []
    assert await store.reads.document(trace_id(1)) is not None


async def test_units_of_work_that_read_and_write_the_same_lose_none_of_it(store):
    key = ("helpfulness", "m+1")

    async def count():
        async with store.work() as work:
            before = await work.judge_reviews.get(key) or Confusion()
            await asyncio.sleep(0)
            work.judge_reviews.put(key, Confusion(pass_pass=before.pass_pass + 1))

    await asyncio.gather(*(count() for _ in range(50)))
    async with store.work() as work:
        assert await work.judge_reviews.get(key) == Confusion(pass_pass=50)


async def test_a_commit_waits_for_the_unit_of_work_that_has_begun(store):
    async with store.work() as work:
        committing = asyncio.create_task(store.commit(Changes(totals=[("a", "[]", "2")])))
        await asyncio.sleep(0.05)
        assert await store.reads.totals() == []
        work.totals.put([("a", "[]", "1")])
    await committing
    assert await store.reads.totals() == [("a", "[]", "2")]


async def test_commits_become_durable_in_the_order_in_which_they_came(store):
    await asyncio.gather(*(store.commit(Changes(totals=[("a", "[]", str(number))])) for number in range(20)))
    assert await store.reads.totals() == [("a", "[]", "19")]


async def test_an_id_is_met_for_the_first_time_by_one_unit_of_work_alone(store):
    counted = []

    async def meet(who):
        async with store.work() as work:
            if not await work.feedback_ids.among([b"click"]):
                work.feedback_ids.put(b"click", at=1.0)
                counted.append(who)

    await asyncio.gather(*(meet(who) for who in range(20)))
    assert len(counted) == 1


# Recovery: what was told to be durable is there at the next start, what was not is not.


async def test_everything_that_was_durable_is_there_after_a_restart_and_nothing_else(opening):
    async with opening() as store:
        async with store.work() as work:
            write_a_bit_of_everything(work)
        await interrupted(store, lambda work: work.traces.add(trace(2)))
    async with opening() as store:
        assert not await is_empty(store)
        assert set(await store.reads.known([trace_id(1), trace_id(2)])) == {trace_id(1)}


async def test_a_store_that_is_closing_takes_no_more_work(opening):
    async with opening() as store:
        await store.stop()
        with pytest.raises(StoreError) as refused:
            async with store.work() as work:
                work.traces.add(trace(1))
        assert refused.value.reason == "closed"


# Bounds: what is old or too much goes, a little at a time.


async def test_traces_that_are_old_go_oldest_first_and_nothing_else_does(store, clock):
    now = clock()
    async with store.work() as work:
        for number in range(1, 101):
            work.traces.add(trace(number, at=now - 200.0 + number))
        write_a_bit_of_everything(work)
        work.traces.add(trace(1, at=now - 199.0))
    while await store.prune(150.0, None):
        pass
    kept = await store.reads.known([trace_id(number) for number in range(1, 101)])
    assert set(kept) == {trace_id(number) for number in range(50, 101)}
    async with store.work() as work:
        assert [len(await getattr(work, name).all()) for name in RECORDS] == [1] * len(RECORDS)
    assert len(await store.reads.totals()) == 1


async def test_traces_are_walked_through_in_the_order_of_recording_a_few_at_a_time(store):
    async with store.work() as work:
        for number in range(1, 11):
            work.traces.add(trace(number, at=float(number // 2)))
    place, walked = Place(), []
    while some := await store.reads.recorded(place, 5.0, 3):
        assert len(some) <= 3
        walked += [int.from_bytes(trace_id, "big") for trace_id, _ in some]
        place = some[-1][1]
    assert walked == list(range(1, 10))


# The ledger of what judges have spent, which several processes share.


CAPS = Caps(hour=Cap(tokens=1000), day=Cap(tokens=1500))


@pytest.fixture(params=["sqlite", "postgresql"])
def open_ledger(request, tmp_path, clock):
    """Opens the ledger of a backend; each time the same one."""
    opened = []
    if request.param == "postgresql":
        target = Target(request.getfixturevalue("postgres").url, f"test_{uuid4().hex}")

    def open_(caps=CAPS):
        is_file = request.param == "sqlite"
        ledger = (
            LedgerFile(tmp_path / "ledger.db", caps, now=clock) if is_file else LedgerTables(target, caps, now=clock)
        )
        opened.append(ThreadedLedger(ledger))
        return opened[-1]

    yield open_
    for ledger in opened:
        ledger.close()


async def test_no_more_is_spent_than_the_limit_however_many_reserve_at_a_time(open_ledger):
    ledgers = [open_ledger() for _ in range(3)]
    reserved = await asyncio.gather(*(ledgers[number % 3].reserve(100, 0) for number in range(30)))
    assert [one for one in reserved if isinstance(one, str)] == ["hour_tokens"] * 20
    numbers = [one for one in reserved if not isinstance(one, str)]
    assert len(set(numbers)) == 10
    for ledger in ledgers:
        await ledger.look()
        assert ledger.spent.hour_tokens == 1000


async def test_settling_gives_back_what_was_not_billed_once(open_ledger):
    ledger = open_ledger()
    reservation = await ledger.reserve(900, 0)
    assert await ledger.reserve(200, 0) == "hour_tokens"
    for _ in range(2):
        await ledger.settle(reservation, 100, 0)
    await ledger.look()
    assert ledger.spent.hour_tokens == 100
    assert isinstance(await ledger.reserve(200, 0), int)


async def test_what_was_reserved_and_never_settled_stays_spent_after_a_restart(open_ledger):
    ledger = open_ledger()
    await ledger.reserve(700, 5)
    again = open_ledger()
    await again.look()
    assert (again.spent.hour_tokens, again.spent.hour_micros) == (700, 5)
    assert await again.reserve(400, 0) == "hour_tokens"


async def test_a_new_hour_has_its_own_limit_within_that_of_the_day(open_ledger, clock):
    ledger = open_ledger()
    await ledger.reserve(1000, 0)
    clock.move(3600)
    assert await ledger.reserve(600, 0) == "day_tokens"
    assert isinstance(await ledger.reserve(500, 0), int)


async def test_other_limits_hold_from_then_on(open_ledger):
    ledger = open_ledger()
    await ledger.reserve(1000, 0)
    ledger.configure(Caps(hour=Cap(tokens=1200)))
    assert isinstance(await ledger.reserve(200, 0), int)
    assert await ledger.reserve(1, 0) == "hour_tokens"
