"""A store on PostgreSQL: replicas that share it, a database that goes away, and secrets that stay secret.

What every store promises stands in ``test_store_promises.py``; ``LLMQ_TEST_STORE=postgresql`` runs every test on it.
"""

import asyncio
import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
import yaml

from exporter.config import load
from exporter.records.requests import Entry
from exporter.records.traces import Recorded
from exporter.store.changes import Changes
from exporter.store.errors import StoreError
from exporter.store.kinds import EARLY_FEEDBACK, KINDS
from exporter.store.opening import Shared, open_store
from exporter.store.postgresql import connection, lease
from exporter.store.postgresql.connection import Target
from exporter.store.postgresql.migrations import STEPS, migrate
from exporter.store.postgresql.store import PostgresStore

CONFIG = {"assembly": {"grace": "100ms", "idle": "300ms"}}


@pytest.fixture
def server(postgres):
    """The server, running again after the test whatever the test did."""
    yield postgres
    if postgres.process.poll() is not None:
        postgres.start()


@pytest.fixture
def target(server):
    return Target(server.url, f"test_{uuid4().hex}")


@pytest.fixture
def opened(target, tmp_path, clock, monkeypatch):
    """Opens the store as a replica."""
    monkeypatch.setattr(lease, "_PATIENCE", 0.3)
    stores = []

    def as_replica(name):
        stores.append(PostgresStore(target, name, tmp_path / name, clock))
        return stores[-1]

    yield as_replica
    for store in stores:
        store.close()


def ask(target, query):
    with psycopg.connect(**target.options) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def wait_until(holds):
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


def waiting_for_locks(target):
    return ask(target, "SELECT 1 FROM pg_locks WHERE NOT granted")


def locks(target):
    """The sessions that write as a replica."""
    return ask(target, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' ORDER BY pid")


def recorded(number):
    return Recorded(number.to_bytes(16, "big"), 1.0, "shop", "/ask", "m", "7", b"k" * 8, b'{"a":1}', user="eve\0\ud800")


# Replicas.


def test_one_process_at_a_time_writes_as_a_replica(opened):
    opened("a")
    with pytest.raises(StoreError, match='another llmq writes as the replica "a": stop it') as error:
        opened("a")
    assert error.value.reason == "in_use"


def test_a_replica_that_was_taken_over_writes_nothing_more(opened, target):
    store = opened("a")
    ask(target, "UPDATE leases SET fence = fence + 1")
    for write in (lambda: store.commit(Changes(traces=[recorded(1)])), store.probe, store.journal.probe):
        with pytest.raises(StoreError, match="another llmq took over") as error:
            write()
        assert error.value.reason == "in_use"
    with pytest.raises(StoreError, match="another llmq took over"):
        store.journal.commit([(store.journal.last_seq + 1, Entry("traces", "application/json", "", b"{}", 1.0))])
    assert ask(target, "SELECT count(*) FROM traces") == ask(target, "SELECT count(*) FROM journal") == [(0,)]


def test_replicas_share_traces_and_have_totals_and_a_journal_each(opened):
    one, other = opened("a"), opened("b")
    one.commit(Changes(traces=[recorded(1)], totals=[("family", "{}", "1")], watermark=5))
    one.journal.commit([(6, Entry("traces", "application/json", "", b"{}", 1.0))])
    assert other.rows.document((1).to_bytes(16, "big")) == b'{"a":1}'
    assert (one.rows.totals(), other.rows.totals()) == ([("family", "{}", "1")], [])
    assert (one.rows.watermark(), other.rows.watermark()) == (5, 0)
    assert [seq for seq, _ in one.journal.entries()] == [6]
    assert list(other.journal.entries()) == []


def test_a_replica_comes_back_with_what_it_had(opened):
    store = opened("a")
    store.commit(Changes(totals=[("family", "{}", "1")], watermark=5))
    store.journal.commit([(6, Entry("traces", "application/json", "", b"{}", 1.0))])
    store.close()
    again = opened("a")
    assert (again.rows.totals(), again.rows.watermark()) == ([("family", "{}", "1")], 5)
    assert again.journal.last_seq == 6


def test_an_entry_that_nobody_was_told_of_is_forgotten(opened, target):
    store = opened("a")
    ask(target, "INSERT INTO journal VALUES ('a', 1, 0, 'traces', '', '', '')")  # by a commit whose answer was lost
    store.journal.commit([(1, Entry("traces", "application/json", "", b"{}", 1.0))])
    assert [(seq, entry.body) for seq, entry in store.journal.entries()] == [(1, b"{}")]


def test_an_entry_of_a_commit_that_ends_only_now_makes_way(opened, target):
    store = opened("a")
    with psycopg.connect(**target.options) as lost, ThreadPoolExecutor(1) as thread:
        lost.execute("INSERT INTO journal VALUES ('a', 1, 0, 'traces', '', '', '')")
        entry = Entry("traces", "application/json", "", b"{}", 1.0)
        commit = thread.submit(store.journal.commit, [(1, entry)])
        wait_until(lambda: waiting_for_locks(target))
        lost.commit()
        commit.result()
    assert [(seq, entry.body) for seq, entry in store.journal.entries()] == [(1, b"{}")]


def test_a_commit_that_a_deadlock_ends_is_done_again_in_the_same_session(opened, target):
    store = opened("a")
    store.commit(Changes(traces=[recorded(1), recorded(2)]))
    sessions = locks(target)
    changes = Changes()
    for number in (1, 2):
        changes.rewrite(number.to_bytes(16, "big"), b'{"b":2}', "")
    rewrite = "UPDATE traces SET marks = marks WHERE trace_id = %s"
    with psycopg.connect(**target.options) as other, ThreadPoolExecutor(1) as thread:
        other.execute("SET deadlock_timeout = '1min'", prepare=False)  # the other one is to be ended
        other.execute(rewrite, ((2).to_bytes(16, "big"),))
        commit = thread.submit(store.commit, changes)
        wait_until(lambda: waiting_for_locks(target))
        other.execute(rewrite, ((1).to_bytes(16, "big"),))
        other.commit()
        commit.result()
    assert store.rows.document((2).to_bytes(16, "big")) == b'{"b":2}'
    assert locks(target) == sessions


def test_replicas_that_record_the_same_traces_in_another_order_do_not_end_in_a_deadlock(opened, monkeypatch):
    monkeypatch.setattr(connection, "_TRIES", 1)
    stores, traces = [opened("a"), opened("b")], [recorded(number) for number in range(500)]
    with ThreadPoolExecutor(2) as threads:
        for _ in range(5):
            commits = [threads.submit(stores[n].commit, Changes(traces=traces[:: 1 - 2 * n])) for n in (0, 1)]
            for commit in commits:
                commit.result()
    assert len(stores[0].rows.known([one.trace_id for one in traces])) == 500


def test_a_replica_ends_the_dead_session_that_still_has_its_lock(opened, target):
    store = opened("a")
    before = locks(target)
    lost = store._writing._connection
    store._writing._connection = None  # the network is lost, of which the server has not heard
    store.commit(Changes(traces=[recorded(1)]))
    assert locks(target) != before
    with pytest.raises(psycopg.OperationalError):
        lost.execute("SELECT 1")


def test_a_database_that_became_read_only_is_connected_to_anew(opened, target):
    store = opened("a")
    store._writing._connection.execute("SET default_transaction_read_only = on")
    with pytest.raises(StoreError, match="read-only") as error:
        store.commit(Changes(traces=[recorded(1)]))
    assert error.value.reason == "read_only"
    store.commit(Changes(traces=[recorded(1)]))  # of several hosts, the one that is the primary now
    assert store.rows.document((1).to_bytes(16, "big")) == b'{"a":1}'


def test_a_refused_statement_leaves_a_connection_that_works(opened, target):
    store = opened("a")
    sessions = locks(target)
    changes = Changes(traces=[recorded(1)])
    changes.put(EARLY_FEEDBACK, ("no number",), b"{}", 1.0)
    for _ in range(2):
        with pytest.raises(StoreError):
            store.commit(changes)
    store.commit(Changes(traces=[recorded(2)]))
    assert store.rows.known([n.to_bytes(16, "big") for n in (1, 2)]).keys() == {(2).to_bytes(16, "big")}
    assert locks(target) == sessions


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if getattr(kind, "own", False)], ids=lambda k: k.name)
def test_what_a_replica_works_on_is_its_own(opened, kind):
    one, other = opened("a"), opened("b")
    key = (1,) if kind is EARLY_FEEDBACK else (b"k",)
    for store, encoded in ((one, b"one"), (other, b"other")):
        changes = Changes()
        changes.put(kind, key, encoded, 1.0)
        store.commit(changes)
    assert one.rows.record(kind, key) == (b"one", kind.version)
    assert other.rows.records(kind) == [(key, 1.0, b"other", kind.version)]
    changes = Changes()
    changes.drop(kind, key)
    one.commit(changes)
    assert one.rows.records(kind) == []
    assert other.rows.record(kind, key) == (b"other", kind.version)


def test_a_migration_may_take_longer_than_a_read(target):
    with psycopg.connect(**target.options, autocommit=True) as migrating:
        migrating.execute("SET statement_timeout = 200")
        migrate(migrating, target.schema, (*STEPS, "SELECT pg_sleep(0.5)"))
    assert ask(target, "SELECT version FROM schema_version") == [(len(STEPS) + 1,)]


def test_the_server_notices_a_dead_client_and_keeps_what_it_acknowledged(target, opened):
    opened("a")
    shown = ask(target, "SELECT current_setting('tcp_keepalives_idle'), current_setting('synchronous_commit')")
    assert shown == [("5", "on")]


def test_ids_with_any_character_are_found_again(opened):
    store = opened("a")
    store.commit(Changes(traces=[recorded(1)]))
    assert [one.trace_id for one in store.rows.located("user", "eve\0\ud800")] == [(1).to_bytes(16, "big")]


def test_replicas_that_start_together_migrate_once(target, tmp_path, clock):
    with ThreadPoolExecutor(6) as pool:
        opening = [pool.submit(PostgresStore, target, f"r{n}", tmp_path / f"r{n}", clock) for n in range(6)]
        stores = [one.result() for one in opening]
    for store in stores:
        store.close()
    assert ask(target, "SELECT version FROM schema_version") == [(len(STEPS),)]


def test_a_schema_of_the_future_is_refused(opened, target):
    opened("a").close()
    ask(target, "UPDATE schema_version SET version = 99")
    with pytest.raises(StoreError, match="of version 99, which a newer llmq wrote: upgrade llmq") as error:
        opened("a")
    assert error.value.reason == "newer"


def test_records_of_the_future_are_refused(opened, target):
    opened("a").close()
    ask(target, "UPDATE formats SET version = 99 WHERE kind = 'review item'")
    with pytest.raises(StoreError, match='"review item" of version 99'):
        opened("a")


# The database.


def test_what_is_wrong_with_the_address_is_said_in_words_of_ours(tmp_path):
    with pytest.raises(StoreError, match="the database: it cannot be reached") as error:
        open_store("postgresql://llmq@127.0.0.1:1/llmq", shared=Shared(files=tmp_path))
    assert error.value.reason == "unreachable"


async def test_while_the_database_is_away_requests_are_refused_and_then_all_goes_on(killable, server, tmp_path):
    process = killable(CONFIG | {"store": where(server, tmp_path)})
    body = {"id": "1", "app": "shop", "question": "q", "answer": "a"}
    assert process.http.post("/v1/interactions", json=body).status_code == 200
    server.stop(signal.SIGINT)
    refused = await asyncio.to_thread(process.http.post, "/v1/interactions", json=body | {"id": "2"})
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    server.start()
    accepted = lambda: process.http.post("/v1/interactions", json=body | {"id": "2"}).status_code == 200  # noqa: E731
    process.wait_until(accepted)
    process.wait_until(lambda: process.total("llmq_requests_total") == 2)
    assert process.total("llmq_exporter_store_errors_total", reason="unreachable") > 0


def test_told_to_stop_while_the_database_is_away_it_ends_and_goes_on_later(killable, server, tmp_path):
    process = killable(CONFIG | {"store": where(server, tmp_path)})
    body = {"id": "1", "app": "shop", "question": "q", "answer": "a"}
    assert process.http.post("/v1/interactions", json=body).status_code == 200
    server.stop(signal.SIGKILL)
    process.stop()
    server.start()
    process.start()
    process.wait_until(lambda: process.total("llmq_requests_total") == 1)


async def test_scoring_goes_on_while_what_is_recorded_cannot_be_read(run_exporter, server, tmp_path):
    exporter = await run_exporter(CONFIG | {"store": where(server, tmp_path)})
    for name in ("again", "alone"):
        await send(exporter, name, span="2" * 16, parent="1" * 16)
    await exporter.pass_time(1000)
    assert await exporter.total("llmq_requests_total") == 2
    await send(exporter, "again", span="3" * 16, parent="")
    await send(exporter, "alone", span="4" * 16, parent="5" * 16)
    exporter.clock.move(1000)
    server.stop(signal.SIGKILL)
    while exporter.exporter.pipeline.score():
        pass
    server.start()
    with suppress(StoreError):  # the connections are of the server that was; it is tried again
        await exporter.pass_time(0)
    for _ in range(2):  # what was on its way, then what was gathered since
        await exporter.pass_time(1)
    found = await exporter.samples()
    assert found.total("llmq_requests_total") == 3  # another root in the same trace is another request
    assert found.total("llmq_exporter_late_total") == 1
    assert found.total("llmq_exporter_spans_received_total") == 4
    assert found.total("llmq_exporter_journal_entries") == 0
    await send(exporter, "again", span="3" * 16, parent="")
    await exporter.pass_time(1)
    assert await exporter.total("llmq_exporter_duplicates_total") == 1


def test_two_replicas_behind_a_balancer_count_everything_once_and_feedback_finds_its_trace(killable, server, tmp_path):
    shared = where(server, tmp_path)
    one, other = [
        killable(CONFIG | {"store": shared | {"replica": name, "files": folder(tmp_path, name)}}) for name in "ab"
    ]
    for number in range(20):
        body = {"id": f"r-{number}", "app": "shop", "question": "q", "answer": "a"}
        assert (one, other)[number % 2].http.post("/v1/interactions", json=body).status_code == 200
    both = lambda name: one.total(name) + other.total(name)  # noqa: E731
    one.wait_until(lambda: both("llmq_requests_total") == 20)
    traces = [answer["trace_id"] for answer in json.loads(one.http.get("/api/answers?limit=50").text)["answers"]]
    assert len(traces) == 20
    for number, trace in enumerate(traces):
        replica = (one, other)[number % 2]
        assert replica.http.get(f"/api/traces/{trace}").status_code == 200
        said = {"trace_id": trace, "signal": "thumbs_up"}
        assert replica.http.post("/v1/feedback", json=said).status_code == 200
    one.wait_until(lambda: both("llmq_feedback_total") == 20, seconds=60)


# Secrets.


def test_a_password_is_kept_in_a_file_and_shown_nowhere(tmp_path):
    (tmp_path / "password").write_text("a-long-password-of-many-words\n")
    store = {"url": "postgresql://llmq@db/llmq", "password": {"file": "password"}}
    (tmp_path / "llmq.yaml").write_text(yaml.safe_dump({"store": store}))
    config = load(tmp_path / "llmq.yaml")
    assert config.store.password.value == "a-long-password-of-many-words"
    assert "a-long" not in repr(config)
    assert "a-long" not in repr(Target(config.store.url, "llmq", config.store.password.value))


async def send(exporter, name, *, span, parent):
    """One span of a trace, again until it is taken."""
    text = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Paris."}]}])
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "m-1", "gen_ai.output.messages": text}
    span = {
        "traceId": name.encode().hex().ljust(32, "0"),
        "spanId": span,
        "parentSpanId": parent,
        "name": "chat",
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000001000000000",
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    while (await exporter.post("/v1/traces", json=body))[0] == 503:
        pass


def where(server, files):
    return {"url": server.url, "schema": f"test_{uuid4().hex}", "files": str(files)}


def folder(parent, name):
    (parent / name).mkdir()
    return str(parent / name)
