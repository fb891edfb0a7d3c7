import os
import random
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import pytest

from exporter.records.requests import Entry
from exporter.records.traces import KnownParts, Recorded
from exporter.store.changes import Changes
from exporter.store.errors import StoreError
from exporter.store.sqlite.statements import JOURNAL, STORE
from exporter.store.sqlite.store import SqliteStore

ENTRY = Entry("traces", "application/x-protobuf", "gzip", b"\x1f\x8b\x00body", 1_790_000_000.123456)


def trace(number, *, at=1000.0, document=b"{}", app="chat"):
    return Recorded(number.to_bytes(16, "big"), at, app, "/ask", "gpt-5", "v3", number.to_bytes(8, "big"), document)


def recorded(numbers, **fields):
    return Changes(traces=[trace(number, **fields) for number in numbers])


def ids(numbers):
    return [number.to_bytes(16, "big") for number in numbers]


def count(store):
    return rows(store, "SELECT count(*) FROM traces")[0][0]


def numbers(journal):
    return [seq for seq, _ in journal.entries()]


def rows(store, query):
    with closing(sqlite3.connect(store.path)) as other, other:
        found = other.execute(query).fetchall()
    other.close()
    return found


def execute(file, statement):
    """Have the connection that writes a store or a journal execute something."""
    with file._writing.connection() as connection:
        return connection.execute(statement).fetchone()


@pytest.fixture
def open_store(tmp_path, clock):
    opened = []

    def open_(name="llmq.db"):
        opened.append(SqliteStore.open(f"sqlite:///{tmp_path / name}", clock))
        return opened[-1]

    yield open_
    for store in opened:
        with suppress(OSError):  # which says that the test has closed it
            store.close()


@pytest.fixture
def store(open_store):
    return open_store()


def reason_of(call, *arguments):
    with pytest.raises(StoreError) as caught:
        call(*arguments)
    return caught.value.reason


# What is committed comes back.


def test_a_new_store_is_empty(store):
    assert (store.rows.watermark(), list(store.rows.totals())) == (0, [])
    assert store.rows.known(ids(range(3))) == {}
    assert store.rows.document(ids([1])[0]) is None


def test_recorded_traces_are_known_by_their_span_keys(store):
    store.commit(recorded(range(1, 301)))
    for size in (0, 1, 5, 64, 65, 300):
        assert store.rows.known(ids(range(1, size + 1))) == {
            number.to_bytes(16, "big"): KnownParts(number.to_bytes(8, "big"), False) for number in range(1, size + 1)
        }
    assert store.rows.known(ids(range(301, 1000))) == {}


def test_recorded_traces_are_known_after_reopening(store, open_store):
    store.commit(recorded(range(1, 10)))
    store.close()
    assert set(open_store().rows.known(ids(range(20)))) == set(ids(range(1, 10)))


def test_a_trace_without_a_document_is_known_as_such(store):
    store.commit(recorded([1], document=b""))
    assert store.rows.known(ids([1])) == {ids([1])[0]: KnownParts((1).to_bytes(8, "big"), True)}


def test_recording_a_trace_again_replaces_it(store):
    store.commit(recorded([1], document=b"", app=""))
    store.commit(recorded([1], document=b'{"a":1}', app="late-app", at=2000.0))
    assert rows(store, "SELECT app, recorded_at, document FROM traces") == [("late-app", 2000.0, b'{"a":1}')]


def test_late_keys_are_appended_in_order(store):
    first, second, other = b"AAAAAAAA", b"\x00BBBBBB\x00", b"CCCCCCCC"
    late = [(ids([1])[0], first), (ids([2])[0], other), (ids([1])[0], second)]
    store.commit(recorded([1, 2]))
    came = Changes()
    for trace_id, key in late:
        came.add_parts(trace_id, key)
    store.commit(came)
    assert store.rows.known(ids([1, 2])) == {
        ids([1])[0]: KnownParts((1).to_bytes(8, "big") + first + second, False),
        ids([2])[0]: KnownParts((2).to_bytes(8, "big") + other, False),
    }


def test_late_keys_may_come_with_the_trace_itself(store):
    transaction = recorded([1])
    transaction.add_parts(ids([1])[0], b"AAAAAAAA")
    store.commit(transaction)
    assert store.rows.known(ids([1]))[ids([1])[0]].spans.endswith(b"AAAAAAAA")


def test_the_last_document_stays(store):
    store.commit(recorded([1]))
    rewritten = Changes()
    for document in (b"first", b"last"):
        rewritten.rewrite(ids([1])[0], document, "")
    store.commit(rewritten)
    assert store.rows.document(ids([1])[0]) == b"last"


def test_totals_are_absolute_and_dropped_before_they_are_set(store):
    store.commit(Changes(totals=[("a", "[1]", "5"), ("a", "[2]", "7"), ("b", "[1]", "9")]))
    store.commit(Changes(totals=[("a", "[1]", "6")], dropped_totals=[("a", "[1]"), ("a", "[2]")]))
    assert sorted(store.rows.totals()) == [("a", "[1]", "6"), ("b", "[1]", "9")]


def test_the_watermark_only_goes_up(store):
    for watermark in (5, 3, 0):
        store.commit(Changes(watermark=watermark))
    assert store.rows.watermark() == 5


def test_a_transaction_of_many_thousand_rows_is_one(store):
    transaction = recorded(range(1, 7001))
    transaction.totals = [("a", f"[{number}]", "1") for number in range(3000)]
    store.commit(transaction)
    assert (count(store), len(list(store.rows.totals())), len(store.rows.known(ids(range(7001))))) == (7000, 3000, 7000)


def test_one_bad_row_among_thousands_leaves_nothing(store):
    transaction = recorded(range(1, 7001))
    transaction.totals = [("a", "[1]", None)]
    assert reason_of(store.commit, transaction) == "internal"
    assert count(store) == 0
    store.commit(recorded([1]))
    assert count(store) == 1


# It survives.

CRASHING = dedent("""
    import sys
    from exporter.records.requests import Entry
    from exporter.records.traces import KnownParts, Recorded
    from exporter.store.sqlite.store import SqliteStore
    from exporter.store.changes import Changes
    store = SqliteStore.open(sys.argv[1])
    print("open", flush=True)

    def record(n):
        traces = [Recorded((n * 100 + i).to_bytes(16, "big"), 0.0, "", "", "", "", b"12345678", b"x" * 900)
                  for i in range(20)]
        store.commit(Changes(traces=traces, totals=[("traces", "[]", str(20 * n))], done=[n], watermark=n))
        store.checkpoint()

    done = list(store.journal.leftover)
    for n, _ in store.journal.entries():
        record(n)
        done.append(n)
    while True:
        n = store.journal.last_seq + 1
        store.journal.commit([(n, Entry("traces", "", "", b"y" * 20_000, 0.0))], done)
        store.journal.checkpoint()
        record(n)
        done = [n]
        print(n, flush=True)
""")


def test_after_kill_9_at_any_moment_totals_traces_and_journal_agree(tmp_path):
    url = f"sqlite:///{tmp_path / 'llmq.db'}"
    chance = random.Random(4318)
    for _ in range(20):
        with subprocess.Popen([sys.executable, "-c", CRASHING, url], stdout=subprocess.PIPE, text=True) as process:
            lines = [process.stdout.readline() for _ in range(chance.randint(1, 30))]
            until = time.perf_counter() + chance.uniform(0, 0.004)
            while time.perf_counter() < until:
                pass
            process.kill()
            told = int((lines + process.stdout.readlines())[-1].replace("open", "0"))
        store = SqliteStore.open(url)
        done = store.rows.watermark()
        assert done >= told
        assert count(store) == 20 * done
        assert list(store.rows.totals()) == ([("traces", "[]", str(20 * done))] if done else [])
        # A kill between the commits of the two files leaves an entry whose traces are not recorded yet.
        assert numbers(store.journal) == list(range(done + 1, store.journal.last_seq + 1))
        assert store.journal.last_seq - done in {0, 1}
        assert len(rows(store, "SELECT * FROM done")) + len(rows(store.journal, "SELECT * FROM journal")) < 8
        store.close()
    assert done > 20


class SmallDisk:
    """A disk that can be filled: a small tmpfs where we may mount one, else a page limit that SQLite itself keeps."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "llmq-test", str(folder)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0

    def fill(self, *files):
        if not self.mounted:
            for file in files:
                execute(file, "PRAGMA max_page_count = 1")
            return
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while filler.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self, *files):
        if self.mounted:
            (self.folder / "filler").unlink()
        for file in files:
            execute(file, "PRAGMA max_page_count = 1000000")

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], check=True)


@pytest.fixture
def small_disk(tmp_path):
    disk = SmallDisk(tmp_path / "disk")
    yield disk
    disk.unmount()


def test_a_full_disk_is_an_error_that_changes_nothing_and_passes_by_itself(small_disk, open_store):
    store = open_store("disk/llmq.db")
    journal = store.journal
    journal.commit([(1, ENTRY)])
    store.commit(recorded([1]))
    small_disk.fill(store, journal)
    large = Entry("traces", "", "", os.urandom(200_000), 0.0)
    for _ in range(3):
        assert reason_of(journal.commit, [(2, large)]) == "disk_full"
        assert reason_of(store.commit, recorded(range(2, 300))) == "disk_full"
        assert (count(store), journal.last_seq, numbers(journal)) == (1, 1, [1])
    small_disk.free(store, journal)
    journal.commit([(2, large)])
    store.commit(recorded(range(2, 300)))
    assert (count(store), journal.last_seq, numbers(journal)) == (299, 2, [1, 2])
    store.close()


@pytest.fixture
def failing_writes():
    """Make every write beyond the first ``size`` bytes of a file fail (EFBIG) until the limit is lifted."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield SimpleNamespace(
        start=lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1])),
        stop=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_after_an_io_error_the_store_works_again_by_itself(store, failing_writes):
    store.commit(recorded([1]))
    failing_writes.start(store.path.stat().st_size)
    large = recorded([2], document=os.urandom(500_000))
    reasons = {reason_of(store.commit, large) for _ in range(2)}
    failing_writes.stop()
    assert reasons == {"io_error"}
    store.commit(large)
    assert count(store) == 2


def test_after_an_io_error_the_journal_works_again_by_itself(store, failing_writes):
    journal = store.journal
    journal.commit([(1, ENTRY)])
    failing_writes.start(journal.path.stat().st_size)
    large = Entry("traces", "", "", os.urandom(500_000), 0.0)
    reasons = {reason_of(journal.commit, [(2, large)]) for _ in range(2)}
    failing_writes.stop()
    assert reasons == {"io_error"}
    journal.commit([(2, large)])
    assert numbers(journal) == [1, 2]


def test_an_entry_whose_commit_failed_but_reached_the_disk_does_not_come_back(store, failing_writes):
    journal = store.journal
    journal.commit([(1, ENTRY)])
    with closing(sqlite3.connect(journal.path)) as other, other:
        other.execute("INSERT INTO journal VALUES (2, 0, '', '', '', x'')")
    other.close()
    failing_writes.start(0)
    assert reason_of(journal.probe) == "io_error"
    failing_writes.stop()
    journal.commit([(2, ENTRY), (3, ENTRY)])
    assert list(journal.entries()) == [(1, ENTRY), (2, ENTRY), (3, ENTRY)]


def both(store):
    """What is to be written to each file of a store."""
    return (store, (recorded([1]),)), (store.journal, ([(1, ENTRY)],))


def test_a_disk_that_became_read_only_is_an_error_that_passes(store):
    for file, work in both(store):
        execute(file, "PRAGMA query_only = ON")
        assert reason_of(file.commit, *work) == "read_only"
        execute(file, "PRAGMA query_only = OFF")
        file.commit(*work)
    assert (count(store), numbers(store.journal)) == (1, [1])


def test_a_store_locked_by_another_program_is_an_error_that_passes(store):
    for file, work in both(store):
        execute(file, "PRAGMA busy_timeout = 0")
        other = sqlite3.connect(file.path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert reason_of(file.commit, *work) == "locked"
        other.execute("ROLLBACK")
        other.close()
        file.commit(*work)
    assert (count(store), numbers(store.journal)) == (1, [1])


def test_a_probe_says_whether_anything_can_be_written(store):
    for file, _ in both(store):
        file.probe()
        execute(file, "PRAGMA query_only = ON")
        assert reason_of(file.probe) == "read_only"
        execute(file, "PRAGMA query_only = OFF")
        file.probe()


def test_no_wal_grows_with_what_is_committed(store):
    body = os.urandom(1_000_000)
    for seq in range(1, 61):
        store.journal.commit([(seq, Entry("traces", "", "", body, 0.0))], [seq - 1])
        store.journal.checkpoint()
        store.commit(recorded([seq], document=body))
        store.checkpoint()
    sizes = [path.stat().st_size for path in store.path.parent.glob("*-wal")]
    assert len(sizes) == 2
    assert max(sizes) < 24_000_000


# Requests wait in the journal.


def test_a_new_journal_is_empty(store):
    assert (store.journal.last_seq, store.journal.oldest, list(store.journal.entries())) == (0, 1, [])


def test_entries_come_back_as_they_were_in_order_after_reopening(store, open_store):
    entries = [(seq, Entry("logs", "application/json", "", os.urandom(seq * 100), seq / 7)) for seq in range(1, 12)]
    store.journal.commit(entries[:5])
    store.journal.commit(entries[5:])
    store.close()
    assert list(open_store().journal.entries()) == entries


def test_an_entry_of_nul_bytes_and_an_empty_one_come_back(store):
    entries = [(1, Entry("traces", "a\x00b", "", b"\x00" * 300_000, 0.1)), (2, Entry("traces", "", "", b"", 0.0))]
    store.journal.commit(entries)
    assert list(store.journal.entries()) == entries


def test_one_bad_entry_among_many_leaves_nothing_and_removes_nothing(store):
    store.journal.commit([(1, ENTRY)])
    entries = [(seq, ENTRY) for seq in range(2, 100)] + [(100, Entry("traces", None, "", b"", 0.0))]
    assert reason_of(store.journal.commit, entries, [1]) == "internal"
    assert (numbers(store.journal), store.journal.last_seq) == ([1], 1)


def test_what_is_done_but_not_removed_does_not_come_back_and_is_removed(store, open_store):
    store.journal.commit([(1, ENTRY), (2, ENTRY), (3, ENTRY)])
    store.commit(Changes(done=[1, 3]))
    store.close()
    again = open_store()
    assert (numbers(again.journal), sorted(again.journal.leftover)) == ([2], [1, 3])
    again.journal.commit([(4, ENTRY)], again.journal.leftover)
    again.close()
    assert numbers(open_store().journal) == [2, 4]


def test_the_store_remembers_what_is_done_only_while_it_may_be_in_the_journal(store):
    store.journal.commit([(seq, ENTRY) for seq in range(1, 5)])
    store.commit(Changes(done=[1, 2, 4]))
    store.journal.commit([], [1, 2, 4])
    assert store.journal.oldest == 3
    store.commit(Changes())
    assert rows(store, "SELECT seq FROM done") == [(4,)]
    store.commit(Changes(done=[3]))
    store.journal.commit([], [3])
    store.commit(Changes())
    assert (store.journal.oldest, rows(store, "SELECT seq FROM done")) == (5, [])


def test_what_a_killed_process_committed_is_synced_before_anything_is_made_of_it(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path / 'llmq.db'}"
    with subprocess.Popen([sys.executable, "-c", CRASHING, url], stdout=subprocess.PIPE, text=True) as process:
        assert [process.stdout.readline() for _ in range(2)] == ["open\n", "1\n"]
        process.kill()
    synced = []

    def fsync(descriptor):
        os_fsync(descriptor)
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)

    os_fsync = os.fsync
    monkeypatch.setattr(os, "fsync", fsync)
    SqliteStore.open(url).close()
    assert synced == ["llmq.db-wal", "llmq.db.journal-wal"]


def test_of_what_is_done_only_that_is_held_in_memory_which_is_in_the_journal(store, open_store):
    store.journal.commit([(seq, ENTRY) for seq in range(1, 1001)])
    store.commit(Changes(done=list(range(2, 1001))))
    store.journal.commit([], range(2, 1000))
    store.close()
    again = open_store()
    assert (again.journal.oldest, numbers(again.journal), again.journal.leftover) == (1, [1], (1000,))


def test_numbers_of_removed_entries_are_never_used_again(store, open_store):
    store.journal.commit([(1, ENTRY), (2, ENTRY), (3, ENTRY)])
    store.commit(Changes(done=[1, 2, 3]))
    store.journal.commit([], [1, 2, 3])
    store.close()
    again = open_store()
    assert (list(again.journal.entries()), again.journal.last_seq) == ([], 3)


def test_a_store_without_its_journal_goes_on(store, open_store):
    store.journal.commit([(1, ENTRY), (2, ENTRY)])
    store.commit(Changes(done=[1], watermark=2))
    store.close()
    store.journal.path.unlink()
    again = open_store()
    assert (list(again.journal.entries()), again.journal.last_seq) == ([], 2)


def test_a_journal_whose_store_was_set_aside_goes_on(store, open_store):
    store.journal.commit([(seq, ENTRY) for seq in (1, 2, 3)])
    store.commit(Changes(done=[1], watermark=3))
    store.journal.commit([], [1])
    store.close()
    store.path.unlink()
    again = open_store()
    assert (again.rows.watermark(), numbers(again.journal), again.journal.last_seq) == (0, [2, 3], 3)


# It is opened with care.


def test_urls_name_relative_and_absolute_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for url, path in (
        ("sqlite:///a.db", "a.db"),
        ("sqlite:///sub/new/b%20c.db", "sub/new/b c.db"),
        (f"sqlite:///{tmp_path}/d.db", "d.db"),
    ):
        store = SqliteStore.open(url)
        assert store.path == tmp_path / path
        store.close()


def test_a_link_to_a_store_names_the_same_store_and_journal(store, tmp_path):
    link = tmp_path / "links" / "other.db"
    link.parent.mkdir()
    link.symlink_to(store.path)
    assert reason_of(SqliteStore.open, f"sqlite:///{link}") == "in_use"
    store.journal.commit([(1, ENTRY)])
    store.close()
    again = SqliteStore.open(f"sqlite:///{link}")
    assert numbers(again.journal) == [1]
    again.close()


@pytest.mark.parametrize(
    "url", ["", "llmq.db", "sqlite://", "sqlite:///", "sqlite://host/a.db", "sqlite:///:memory:", "mysql://a/b"]
)
def test_other_urls_are_refused_with_the_two_right_forms(url):
    with pytest.raises(StoreError, match=r"write sqlite:///file\.db or sqlite:////path/to/file\.db") as caught:
        SqliteStore.open(url)
    assert caught.value.reason == "url"


def test_the_files_are_for_their_owner_only(store):
    names = {path.name: path.stat().st_mode & 0o777 for path in store.path.parent.iterdir()}
    assert set(names) >= {"llmq.db", "llmq.db-wal", "llmq.db.lock", "llmq.db.journal", "llmq.db.journal-wal"}
    assert set(names.values()) == {0o600}


def test_commits_are_synced_to_the_disk(store):
    for file, _ in both(store):
        assert execute(file, "PRAGMA synchronous") == (2,)
        assert execute(file, "PRAGMA journal_mode") == ("wal",)


def test_a_store_in_use_is_refused_with_its_owner_and_the_cure(store):
    url = f"sqlite:///{store.path}"
    with pytest.raises(StoreError) as caught:
        SqliteStore.open(url)
    assert caught.value.reason == "in_use"
    assert str(caught.value) == (
        f"store {store.path} is in use by another llmq (process {os.getpid()}): stop that one, or give this one a "
        "store of its own with --store"
    )
    store.close()
    SqliteStore.open(url).close()


def test_a_store_in_use_is_refused_to_another_process_and_not_disturbed(store):
    code = "import sys\nfrom exporter.store.sqlite.store import SqliteStore\nSqliteStore.open(sys.argv[1])"
    run = subprocess.run(
        [sys.executable, "-c", code, f"sqlite:///{store.path}"], capture_output=True, text=True, check=False
    )
    assert f"is in use by another llmq (process {os.getpid()})" in run.stderr
    store.journal.commit([(1, ENTRY)])
    assert list(store.journal.entries()) == [(1, ENTRY)]


def refusal(path):
    with pytest.raises(StoreError) as caught:
        SqliteStore.open(f"sqlite:///{path}")
    assert str(path) in str(caught.value)
    return caught.value.reason, str(caught.value)


@pytest.mark.parametrize("schema", [STORE, JOURNAL])
def test_a_store_of_a_newer_llmq_is_refused(store, schema):
    execute(store if schema is STORE else store.journal, f"PRAGMA user_version = {schema.history.version + 1}")
    store.close()
    reason, message = refusal(store.path)
    assert reason == "newer"
    version = schema.history.version
    assert f"written by a newer llmq (schema {version + 1}, this one knows {version})" in message


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE theirs(a)")
    other.close()
    before = path.read_bytes()
    assert refusal(path)[0] == "foreign"
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"not a database, but someone's notes\n" * 200)
    reason, message = refusal(path)
    assert (reason, "is not a database, or damaged" in message) == ("corrupt", True)
    assert path.read_bytes() == b"not a database, but someone's notes\n" * 200


def test_a_damaged_store_is_refused(store):
    store.commit(recorded(range(1, 2000)))
    store.close()
    with store.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (store.path.stat().st_size - 4096))
    assert refusal(store.path)[0] == "corrupt"


def test_a_damaged_journal_is_refused_by_its_name(store):
    store.close()
    store.journal.path.write_bytes(b"not a database, but someone's notes\n" * 200)
    reason, message = refusal(store.journal.path.with_suffix(""))
    assert (reason, f"store {store.journal.path} is not a database" in message) == ("corrupt", True)


def test_a_refused_journal_is_left_closed(store):
    store.journal.commit([(1, ENTRY)])
    store.close()
    with store.journal.path.open("r+b") as file:
        file.seek(JOURNAL.page)
        file.write(b"\xa5" * JOURNAL.page)
    assert refusal(store.path)[0] == "corrupt"
    open_files = [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    assert [file for file in open_files if file.startswith(str(store.path))] == []


def test_a_directory_is_refused_with_the_name_of_a_file_in_it(tmp_path):
    reason, message = refusal(tmp_path)
    assert (reason, f"name a file in it, such as {tmp_path}/llmq.db" in message) == ("cannot_open", True)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    reason, message = refusal(tmp_path / "file" / "llmq.db")
    assert (reason, "it exists already" in message or "not a directory" in message) == ("cannot_open", True)


def test_a_place_where_nothing_can_be_written_is_refused():
    assert refusal(Path("/sys/llmq.db"))[0] == "read_only"


def test_a_refused_store_is_not_left_locked(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"x" * 5000)
    refusal(path)
    path.unlink()
    SqliteStore.open(f"sqlite:///{path}").close()


# It keeps what it should keep.


def prune_all(store, older_than=None, max_bytes=None, batch=100):
    pruned = 0
    while some := store.prune(older_than, max_bytes, batch):
        assert some <= batch
        pruned += some
    return pruned


def test_traces_older_than_the_retention_go_oldest_first(store, clock):
    store.commit(recorded(range(1, 251), at=clock.at - 100))
    store.commit(recorded(range(251, 301), at=clock.at - 10))
    assert prune_all(store, older_than=200) == 0
    assert store.prune(50, None, 100) == 100
    assert set(store.rows.known(ids(range(1, 102)))) == set(ids([101]))
    assert prune_all(store, older_than=50) == 150
    assert set(store.rows.known(ids(range(1, 400)))) == set(ids(range(251, 301)))


def test_the_oldest_traces_go_while_the_store_is_too_large(store):
    for start in range(1, 1001, 100):
        store.commit(recorded(range(start, start + 100), document=os.urandom(2000)))
    full = store.size_bytes()
    assert full > 2_000_000
    pruned = prune_all(store, max_bytes=full // 2)
    assert full // 2 - 500_000 < store.size_bytes() <= full // 2
    assert set(store.rows.known(ids(range(1, 1001)))) == set(ids(range(pruned + 1, 1001)))


def test_neither_journal_nor_totals_are_pruned_nor_does_a_long_journal_cost_traces(store, clock):
    transaction = recorded(range(1, 11), at=clock.at)
    transaction.totals = [("a", "[]", "10")]
    store.journal.commit([(1, Entry("traces", "", "", b"x" * 5_000_000, 0.0))])
    store.commit(transaction)
    assert prune_all(store, older_than=3600, max_bytes=1_000_000) == 0
    clock.move(7200)
    assert prune_all(store, older_than=3600, max_bytes=0) == 10
    assert (numbers(store.journal), list(store.rows.totals())) == ([1], [("a", "[]", "10")])


def test_freed_space_is_used_again(store):
    for start in range(1, 3001, 100):
        store.commit(recorded(range(start, start + 100), document=os.urandom(2000)))
        prune_all(store, max_bytes=500_000)
    store.close()
    assert store.path.stat().st_size < 2_000_000


def test_much_free_space_goes_back_to_the_file_system(store):
    store.commit(recorded(range(1, 1001), document=os.urandom(30_000)))
    prune_all(store, max_bytes=0)
    for _ in range(20):
        store.prune(None, None)
    store.close()
    assert store.path.stat().st_size < 20_000_000


# Traces found by other ids.


def test_a_trace_is_found_by_its_response_its_conversation_and_its_user(store):
    def asked(number, **ids):
        fields = {"response_id": None, "conversation_id": None, "user": None} | ids
        return Recorded(number.to_bytes(16, "big"), 0.0, "chat", "/a", "m", "p", b"12345678", b"{}", **fields)

    both = [asked(1, response_id="r1", conversation_id="c", user="u"), asked(2, conversation_id="c", user="u")]
    store.commit(Changes(traces=both))
    first, second = ids([1, 2])
    assert [found.trace_id for found in store.rows.located("response", "r1")] == [first]
    assert [found.trace_id for found in store.rows.located("conversation", "c")] == [second]
    assert [found.trace_id for found in store.rows.located("user", "u")] == [first, second]
    assert [found.app for found in store.rows.located("trace", first)] == ["chat"]
    assert store.rows.located("response", "r2") == []


def test_who_asked_may_become_known_later(store):
    store.commit(recorded([1]))
    later = Changes()
    later.askers.append((*ids([1]), "c", "u"))
    store.commit(later)
    assert [found.trace_id for found in store.rows.located("conversation", "c")] == ids([1])


def test_a_trace_without_a_document_is_not_located(store):
    store.commit(recorded([1], document=b""))
    assert store.rows.located("trace", *ids([1])) == []


def test_a_store_of_an_older_llmq_is_refused(store):
    execute(store, f"PRAGMA user_version = {STORE.history.first - 1}")
    store.close()
    assert refusal(store.path)[0] == "older"
