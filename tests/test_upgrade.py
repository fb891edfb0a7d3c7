"""Stores of earlier versions are read with the newest; an upgrade is whole or has not begun, and a copy is kept."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from msgspec.structs import replace

from exporter.judge.budget import Caps
from exporter.recording.trace_document import failed_by, marks, signalled
from exporter.store.errors import StoreError
from exporter.store.kinds import DOCUMENT, JUDGE_JOB, KINDS, TOTAL, Kind
from exporter.store.sqlite import upgrade
from exporter.store.sqlite.migrations.history import Change, History
from exporter.store.sqlite.migrations.journal import JOURNAL
from exporter.store.sqlite.migrations.ledger import LEDGER
from exporter.store.sqlite.migrations.store import STORE
from exporter.store.sqlite.spend_ledger import LedgerFile
from exporter.store.sqlite.store import SqliteStore

STORES = Path(__file__).parent / "stores"
WRITTEN = sorted(folder.name for folder in STORES.iterdir() if folder.is_dir() and folder.name[0].isdigit())
OLDEST = STORES / "4.1.1"


@pytest.fixture
def writer():
    """The script that writes stores for these tests."""
    spec = spec_from_file_location("write", STORES / "write.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def old(tmp_path):
    """A store of the oldest version that is upgraded."""
    for file in OLDEST.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "llmq.db"


def version_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def dump(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return list(connection.iterdump())


def opened(path):
    return closing(SqliteStore.open(f"sqlite:///{path}"))


OF_REQUESTS = ("llmq_requests_total", "llmq_feedback_total", "llmq_exporter_spans_received_total", "llmq_review_labels")


def of_requests(look):
    """What became of the requests in the journal, without what evaluators, which change, say of them."""
    same = ("reviewed", "queues", "conversations", "review", "suite", "gate", "anchors")
    counters = {name: value for name, value in look["counters"].items() if name.startswith(OF_REQUESTS)}
    traces = {trace_id: trace is not None for trace_id, trace in look["traces"].items()}
    return {name: look[name] for name in same} | {"counters": counters, "traces": traces}


def test_a_store_is_kept_of_every_version():
    now = f"{STORE.version}.{JOURNAL.version}.{LEDGER.version}"
    assert now in WRITTEN, f"python tests/stores/write.py tests/stores/{now}"


@pytest.mark.parametrize("version", WRITTEN)
async def test_a_store_of_an_earlier_version_is_read_as_that_version_read_it(tmp_path, stub, writer, version):
    expected = json.loads((STORES / version / "expected.json").read_text())
    for name in writer.FILES:
        shutil.copy(STORES / version / name, tmp_path)
    found = await writer.read(tmp_path, stub)
    for what, value in expected["start"].items():
        assert found["start"][what] == value, what
    for what, value in of_requests(expected["end"]).items():
        assert of_requests(found["end"])[what] == value, f"{what} once all that was open is done"


def test_the_version_that_wrote_a_file_is_in_the_name_of_its_folder():
    for folder in WRITTEN:
        files = [STORES / folder / name for name in ("llmq.db", "llmq.db.journal", "ledger.db")]
        assert [version_of(file) for file in files] == [int(number) for number in folder.split(".")]


def test_a_copy_of_the_file_is_kept_as_it_was_and_its_owner_alone_may_read_it(old, caplog):
    before = dump(old)
    with opened(old):
        pass
    copy = upgrade.copy_of(old, STORE.version)
    assert copy.name == f"llmq.db.before-{STORE.version}"
    assert version_of(copy) == 4
    assert dump(copy) == before
    assert copy.stat().st_mode & 0o077 == 0
    assert f"store upgraded: file={old} schema=4->{STORE.version}; as it was before: {copy}" in caplog.text


def test_what_stands_in_the_wal_is_in_the_copy(old):
    with closing(sqlite3.connect(old)) as writing:
        writing.execute("PRAGMA wal_autocheckpoint = 0")
        writing.execute("UPDATE meta SET value = 77 WHERE name = 'watermark'")
        writing.commit()
        with opened(old) as store:
            assert store.rows.watermark() == 77
    with closing(sqlite3.connect(upgrade.copy_of(old, STORE.version))) as copy:
        assert copy.execute("SELECT value FROM meta WHERE name = 'watermark'").fetchone() == (77,)


def test_a_file_of_the_newest_version_is_opened_without_a_copy(old):
    with opened(old):
        pass
    upgrade.copy_of(old, STORE.version).unlink()
    with opened(old):
        pass
    assert not list(old.parent.glob("*.before-*"))


def test_an_older_llmq_goes_on_from_the_copy(old):
    """A copy that is put back in its place is a store like the one before, and is upgraded again."""
    with opened(old):
        pass
    before = dump(upgrade.copy_of(old, STORE.version))
    upgrade.copy_of(old, STORE.version).replace(old)
    assert dump(old) == before
    with opened(old) as store:
        assert store.rows.document(bytes.fromhex("0" * 31 + "1"))


def test_without_room_for_the_copy_the_store_is_refused_as_it_was_with_the_cure(old, monkeypatch):
    before = old.read_bytes()
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(StoreError) as refused:
        SqliteStore.open(f"sqlite:///{old}")
    assert refused.value.reason == "disk_full"
    assert f"store {old} (schema 4) must be upgraded to schema {STORE.version}" in str(refused.value)
    assert f"but only 1 MB are free in {old.parent}: free some, or move the store to a larger disk" in str(
        refused.value
    )
    assert old.read_bytes() == before
    assert not list(old.parent.glob("*.before-*"))


KILLED = """
import os, shutil, sqlite3, sys
from pathlib import Path
from exporter.store.sqlite.store import SqliteStore

source, target, left = Path(sys.argv[1]), Path(sys.argv[2]), 0

class Traced(sqlite3.Connection):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.set_trace_callback(step)

    def backup(self, target, **more):
        step("backup")
        super().backup(target, pages=4, progress=lambda *_: step("pages"))

def step(_):
    global left
    left -= 1
    if left < 0:
        os._exit(9)

connect = sqlite3.connect
sqlite3.connect = lambda *args, **kwargs: connect(*args, factory=Traced, **kwargs)
for steps in range(1000):
    folder = target / str(steps)
    folder.mkdir()
    for name in sys.argv[3:]:
        shutil.copy(source / name, folder)
    if not (child := os.fork()):
        left = steps
        SqliteStore.open(f"sqlite:///{folder / 'llmq.db'}")
        os._exit(0)
    if (code := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) != 9:
        sys.exit(code)
"""


def test_killed_at_every_step_an_upgrade_leaves_the_old_store_or_the_new_one(old, tmp_path, writer):
    """Each time in a copy of one process, which has imported what an upgrade takes."""
    before = dump(old)
    command = [sys.executable, "-c", KILLED, str(OLDEST), str(tmp_path), *writer.FILES[:2]]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    folders = sorted((folder for folder in tmp_path.iterdir() if folder.name.isdigit()), key=lambda one: int(one.name))
    for folder in folders[:-1]:
        version = version_of(folder / "llmq.db")
        assert version in (4, STORE.version)
        if version == 4:
            assert dump(folder / "llmq.db") == before
        with suppress(FileNotFoundError):
            copy = upgrade.copy_of(folder / "llmq.db", STORE.version)
            assert copy.stat().st_size
            assert dump(copy) == before
        with opened(folder / "llmq.db") as store:
            assert store.rows.watermark() == 13
            assert len(list(store.journal.entries())) == 6
        assert version_of(folder / "llmq.db") == STORE.version
    assert len(folders) > 20, "so many steps there are at least"


def test_a_change_that_fails_leaves_all_as_it_was(old):
    def fails(_connection):
        raise sqlite3.OperationalError("no")

    history = History(
        application=STORE.application,
        called="store",
        cure="name another store",
        first=4,
        tables="",
        changes=(Change(5, "CREATE TABLE five(a); CREATE TABLE more(b);"), Change(6, "DROP TABLE totals;", fails)),
    )
    before = dump(old)
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        with pytest.raises(StoreError, match="could not be, and is as it was"):
            upgrade.prepare(connection, old, history)
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)
    assert dump(old) == before


def test_changes_are_made_in_order_once_and_a_new_file_gets_the_same_tables(tmp_path):
    def fill(connection):
        connection.execute("INSERT INTO numbers SELECT max(n) + 1 FROM numbers")

    first = History(
        application=77,
        called="store",
        cure="",
        first=1,
        tables="CREATE TABLE numbers(n); INSERT INTO numbers VALUES (1);",
    )
    changes = tuple(Change(version, f"CREATE TABLE t{version}(a);", fill) for version in (2, 3, 4))
    last = History(application=77, called="store", cure="", first=1, tables=first.tables, changes=changes)
    for name, steps in (("old.db", (first, last, last)), ("new.db", (last, last))):
        for history in steps:
            with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as connection:
                upgrade.prepare(connection, tmp_path / name, history)
    assert dump(tmp_path / "old.db") == dump(tmp_path / "new.db")
    assert version_of(tmp_path / "old.db") == 4


def test_a_ledger_is_upgraded_while_others_wait(tmp_path):
    shutil.copy(OLDEST / "ledger.db", tmp_path)
    with closing(LedgerFile(tmp_path / "ledger.db", Caps(), now=lambda: 1_790_000_000.0)) as purse:
        assert purse.spent().hour_tokens == 18140
    assert version_of(tmp_path / "ledger.db") == LEDGER.version


# Values, each with its version.


def test_a_value_is_read_as_the_newest_version_from_whichever_it_is():
    upgrades = (lambda value: value + b"2", lambda value: value + b"3")
    kind = Kind(name="numbers", record=bytes, table="numbers", key=("n",), upgrades=upgrades)
    assert kind.version == 3
    assert [kind.newest(b"1", version) for version in (None, 1, 2, 3)] == [b"123", b"123", b"13", b"1"]


def test_what_is_stored_has_its_version_and_is_read_by_it(old, monkeypatch):
    """As a later llmq would, whose jobs, documents and totals look different."""
    with opened(old) as store:
        rows = store.rows
        jobs, document = rows.records(JUDGE_JOB), rows.document(bytes.fromhex("0" * 31 + "1"))
        later = replace(JUDGE_JOB, record=bytes, upgrades=(lambda value: value.replace(b'"role"', b'"part"'),))
        read = [later.decode(record, version) for _, _, record, version in rows.records(later)]
        assert [value.count(b'"part"') for value in read] == [1] * len(jobs) == [1, 1]
        assert later.decode(*rows.record(later, jobs[0][0])).count(b'"part"') == 1
        blank = replace(DOCUMENT, upgrades=(lambda value: value + b" ",))
        monkeypatch.setattr("exporter.store.sqlite.rows.DOCUMENT", blank)
        assert rows.document(bytes.fromhex("0" * 31 + "1")) == document + b" "
        monkeypatch.setattr("exporter.store.sqlite.rows.TOTAL", replace(TOTAL, upgrades=(lambda value: f"{value} ",)))
        assert all(value.endswith(" ") for _, _, value in rows.totals())


def test_a_store_that_holds_what_only_a_newer_llmq_can_read_is_refused(old):
    with opened(old):
        pass
    for kind, version in (("judge job", JUDGE_JOB.version + 1), ("a kind of the future", 1)):
        with closing(sqlite3.connect(old)) as connection:
            connection.execute("INSERT OR REPLACE INTO formats VALUES (?, ?)", (kind, version))
            connection.commit()
        with pytest.raises(StoreError) as refused:
            SqliteStore.open(f"sqlite:///{old}")
        assert refused.value.reason == "newer"
        assert f'it holds "{kind}" of version {version}): upgrade llmq' in str(refused.value)
        with closing(sqlite3.connect(old)) as connection:
            connection.execute("DELETE FROM formats")
            connection.commit()


def test_every_kind_that_a_written_store_holds_is_known():
    for folder in WRITTEN:
        with closing(sqlite3.connect(STORES / folder / "llmq.db")) as connection:
            held = "SELECT DISTINCT kind FROM objects" if folder < "7" else "SELECT kind FROM formats"
            assert {name for (name,) in connection.execute(held)} <= KINDS.keys()


def test_answers_that_were_recorded_before_are_found_by_who_failed_them_and_what_users_signalled(old):
    with opened(old) as store, closing(sqlite3.connect(store.path)) as connection:
        rows = connection.execute("SELECT marks, document FROM traces").fetchall()
    assert any(signalled("thumbs_down") in written for written, _ in rows)
    assert any(failed_by() in written for written, _ in rows)
    for written, document in rows:
        assert sorted(written.split("\n")) == sorted(marks(document).split("\n"))
