"""The journal keeps what was taken and no more, refuses at its bound, and gives its space back."""

import asyncio
import json
import os

import pytest

from exporter.records.requests import Entry
from exporter.records.traces import Recorded
from exporter.store.changes import Changes
from exporter.store.sqlite.store import SqliteStore

A, ROOT, CHILD = "a" * 32, "1" * 16, "2" * 16
MB = 1_000_000


def attribute(key, text):
    return {"key": key, "value": {"stringValue": text}}


def record(text, trace_id=""):
    return {"traceId": trace_id, "timeUnixNano": "1790000000000000000", "body": {"stringValue": text}}


def logs(*records, **around):
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}], **around}


def trace(span_id, *, parent="", text="", trace_id=A):
    said = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Paris. " + text}]}])
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.output.messages": said}
    span = {
        "traceId": trace_id, "spanId": span_id, "parentSpanId": parent, "name": "chat",
        "startTimeUnixNano": "1790000000000000000", "endTimeUnixNano": "1790000001000000000",
        "attributes": [attribute(*pair) for pair in attributes.items()],
    }  # fmt: skip
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}


def kept(exporter):
    return exporter.exporter.store.journal.bytes


# What is kept.


@pytest.mark.parametrize(
    "body",
    [logs(*[record("x" * 4000)] * 100, record("kept", A)), logs(record("kept", A), unknown="x" * 400_000)],
    ids=["records of no trace", "unknown fields"],
)
async def test_of_a_large_request_of_which_little_is_taken_only_that_is_kept(run_exporter, body):
    exporter = await run_exporter()
    assert len(json.dumps(body)) > 400_000
    assert (await exporter.post("/v1/logs", json=body))[0] == 200
    assert 0 < kept(exporter) < 1000


async def test_what_is_kept_of_a_request_is_scored_after_a_restart(run_exporter):
    exporter = await run_exporter()
    content = [{"role": "user", "parts": [{"type": "text", "content": "Where is the Louvre?"}]}]
    told = record("details", A) | {
        "spanId": ROOT,
        "eventName": "gen_ai.client.inference.operation.details",
        "attributes": [attribute("gen_ai.input.messages", json.dumps(content))],
    }
    await exporter.post("/v1/logs", json=logs(*[record("x" * 4000)] * 100, told))
    await exporter.client.close()
    again = await run_exporter({"store": {"content": "all"}})
    await again.post("/v1/traces", json=trace(ROOT))
    await again.post("/v1/logs", json=logs(told))
    await again.pass_time(3)
    assert (await again.read(A))["question"] == "Where is the Louvre?"
    assert await again.total("llmq_exporter_duplicates_total", signal="logs", kind="same") == 1
    assert await again.total("llmq_exporter_log_records_received_total") == 2
    assert await again.total("llmq_exporter_rejected_total", signal="logs", reason="no_trace") == 100


async def test_a_large_request_of_which_much_is_taken_is_kept_as_it_came(run_exporter):
    exporter = await run_exporter()
    body = trace(ROOT, text="x" * 200_000)
    await exporter.post("/v1/traces", json=body)
    [(_, entry)] = exporter.exporter.store.journal.entries()
    assert json.loads(entry.body) == body


# Its bound.


async def test_at_its_bound_the_journal_takes_nothing_until_something_is_recorded(run_exporter):
    exporter = await run_exporter({"limits": {"body_bytes": "40KiB"}, "store": {"journal": "100KiB"}})
    answers = []
    for n in range(1, 6):
        body = trace(ROOT, parent=CHILD, text="x" * 32_000, trace_id=f"{n:032x}")
        answers.append(await exporter.client.post("/v1/traces", json=body))
    assert [answer.status for answer in answers] == [200, 200, 200, 503, 503]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    said = {"trace_id": A, "signal": "copy", "comment": "x" * 9_000}
    assert (await exporter.post("/v1/feedback", json=said))[0] == 200, "few, and not in the journal"
    await exporter.pass_time(16 * 60)
    assert await exporter.total("llmq_exporter_rejected_total", signal="traces", reason="journal_full") == 2
    assert await exporter.total("llmq_exporter_journal_capacity_bytes") == 100 << 10
    async with asyncio.timeout(120):
        while kept(exporter):  # noqa: ASYNC110 - the product has no such event
            await asyncio.sleep(0)
    assert await exporter.total("llmq_exporter_journal_size_bytes") == 0
    assert (await exporter.post("/v1/traces", json=trace(ROOT)))[0] == 200
    assert await exporter.total("llmq_requests_total") == 3


async def test_what_waits_in_the_journal_counts_after_a_restart(run_exporter):
    exporter = await run_exporter()
    await exporter.post("/v1/traces", json=trace(ROOT, text="x" * 50_000))
    before = kept(exporter)
    await exporter.client.close()
    assert kept(await run_exporter()) == before > 50_000


# Its space.


@pytest.fixture
def store(tmp_path, clock):
    store = SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}", clock)
    yield store
    store.close()


def on_disk(path):
    return sum(path.with_name(path.name + end).stat().st_size for end in ("", "-wal"))


def test_after_a_burst_the_journal_gives_its_space_back_and_keeps_what_waits(store):
    journal, large = store.journal, Entry("logs", "", "", os.urandom(12 * MB), 0.0)
    small = [(n, Entry("logs", "", "", b"small", 0.0)) for n in (11, 12)]
    for seq in range(1, 11):
        journal.commit([(seq, large)])
        journal.checkpoint()
    journal.commit(small)
    assert on_disk(journal.path) > 120 * MB
    journal.commit([], list(range(1, 11)))
    journal.checkpoint()
    assert on_disk(journal.path) < 1 * MB
    assert list(journal.entries()) == small
    journal.commit([(13, small[0][1])], [11, 12])
    assert (journal.oldest, journal.bytes) == (13, 5)


def test_a_wal_that_one_large_transaction_made_is_given_back(store):
    row = Recorded(b"A" * 16, 0.0, "", "", "", "", b"12345678", os.urandom(90 * MB))
    store.commit(Changes(traces=[row]))
    assert on_disk(store.path) > 90 * MB
    store.checkpoint()
    assert store.path.with_name("llmq.db-wal").stat().st_size == 0
    assert store.rows.document(b"A" * 16) == row.document
