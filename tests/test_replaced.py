"""Files that are deleted, moved or replaced under a running exporter; and one store that has several names."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from exporter.judge.budget import Caps
from exporter.records.requests import Entry
from exporter.records.traces import Recorded
from exporter.store.changes import Changes
from exporter.store.errors import StoreError
from exporter.store.sqlite.spend_ledger import LedgerFile
from exporter.store.sqlite.store import SqliteStore

ENTRY = Entry("traces", "", "", b"x", 1e9)
FAST = {"assembly": {"grace": "100ms", "idle": "200ms"}}
PARTS = ("llmq.db", "llmq.db-wal", "llmq.db-shm", "llmq.db.journal", "llmq.db.journal-wal", "llmq.db.journal-shm")


@pytest.fixture
def store(tmp_path):
    with closing(SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}")) as opened:
        opened.journal.commit([(1, ENTRY)])
        opened.commit(recorded(1))
        yield opened


def recorded(number):
    return Changes(traces=[Recorded(number.to_bytes(16, "big"), 0.0, "", "", "", "", b"12345678", b"{}")])


def reason_of(call, *arguments):
    with pytest.raises(StoreError) as caught:
        call(*arguments)
    return caught.value.reason


def delete(file):
    file.unlink()


def move(file):
    file.rename(file.with_name("elsewhere"))


def replace(file):
    shutil.copy(file, file.with_name("copy"))
    file.with_name("copy").replace(file)


@pytest.mark.parametrize("harm", [delete, move, replace])
@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_acknowledged_into_a_file_that_is_gone(store, part, harm):
    harm(store.path.with_name(part))
    is_journal = ".journal" in part
    gone, whole = (store.journal, store) if is_journal else (store, store.journal)
    commit = (lambda: store.journal.commit([(2, ENTRY)])) if is_journal else (lambda: store.commit(recorded(2)))
    assert reason_of(commit) == "replaced"
    assert reason_of(commit) == "replaced"
    assert reason_of(gone.verify) == "replaced"
    whole.verify()


@pytest.mark.parametrize("part", ["llmq.db-wal", "llmq.db-shm"])
def test_where_the_wal_alone_is_gone_what_was_acknowledged_is_saved(store, part):
    store.path.with_name(part).unlink()
    assert reason_of(store.commit, recorded(2)) == "replaced"
    shutil.copy(store.path, store.path.with_name("saved.db"))  # as a kill now leaves it
    with closing(sqlite3.connect(store.path.with_name("saved.db"))) as saved:
        assert saved.execute("SELECT count(*) FROM traces").fetchone() == (1,)


@pytest.mark.parametrize("part", ["llmq.db", "llmq.db.journal"])
def test_a_file_that_was_deleted_is_not_made_anew(store, part):
    store.path.with_name(part).unlink()
    file = store.journal if "journal" in part else store
    assert reason_of(file.probe) == "replaced"
    assert reason_of(file.probe) == "replaced"
    assert not store.path.with_name(part).exists()


def test_moved_back_they_are_used_again_and_what_nobody_was_told_is_not_there(store):
    elsewhere = store.path.with_name("elsewhere")
    store.journal.path.rename(elsewhere)
    assert reason_of(store.journal.commit, [(2, ENTRY)]) == "replaced"
    elsewhere.rename(store.journal.path)
    store.journal.probe()
    assert [seq for seq, _ in store.journal.entries()] == [1]
    store.journal.commit([(2, ENTRY)])
    assert [seq for seq, _ in store.journal.entries()] == [1, 2]


def test_a_ledger_that_is_gone_lends_nothing(tmp_path):
    with closing(LedgerFile(tmp_path / "ledger.db", Caps())) as purse:
        assert purse.reserve(1, 1) == 1
        (tmp_path / "ledger.db").unlink()
        assert reason_of(purse.reserve, 1, 1) == "replaced"
        assert reason_of(purse.verify) == "replaced"


# A whole exporter.


def interaction(number):
    return {"trace_id": f"{number:032x}", "app": "shop", "question": "Refunds?", "answer": "Within 30 days."}


def post(process, number):
    return process.http.post("/v1/interactions", json=interaction(number))


@pytest.mark.parametrize("parts", [PARTS, PARTS[:1], PARTS[3:4]], ids=["all", "store", "journal"])
def test_an_exporter_whose_files_are_deleted_takes_nothing_more_and_says_so(tmp_path, killable, parts):
    process = killable(FAST)
    assert post(process, 1).status_code == 200
    process.wait_until(lambda: process.total("llmq_requests_total") == 1)
    for part in parts:
        (tmp_path / part).unlink()
    process.wait_until(lambda: process.http.get("/-/ready").status_code == 503, seconds=10)
    assert "deleted, moved or replaced" in process.http.get("/-/ready").text
    refused = post(process, 2)
    assert (refused.status_code, "replaced" in refused.text) == (503, True)
    assert process.total("llmq_exporter_store_errors_total", reason="replaced") > 0
    assert process.http.get("/-/healthy").status_code == 200
    process.stop()
    assert "move it back, or restart llmq" in process.log.read_text()


def test_no_request_is_acknowledged_between_the_deletion_and_its_discovery(tmp_path, killable):
    process = killable(FAST)
    assert post(process, 1).status_code == 200
    for part in PARTS:
        (tmp_path / part).unlink()
    answers = [post(process, number).status_code for number in range(2, 40)]
    assert answers == [503] * 38
    process.stop()


def test_files_that_were_moved_away_and_back_are_used_again(tmp_path, killable):
    process = killable(FAST)
    assert post(process, 1).status_code == 200
    for part in PARTS:
        (tmp_path / part).rename(tmp_path / f"away.{part}")
    process.wait_until(lambda: process.http.get("/-/ready").status_code == 503)
    assert post(process, 2).status_code == 503
    for part in PARTS:
        (tmp_path / f"away.{part}").rename(tmp_path / part)
    process.wait_until(lambda: process.http.get("/-/ready").status_code == 200)
    assert post(process, 3).status_code == 200
    process.wait_until(lambda: process.total("llmq_requests_total") == 2)
    process.kill()
    process.start()
    assert process.total("llmq_requests_total") == 2
    process.stop()


OPENING = "import sys\nfrom exporter.store.sqlite.store import SqliteStore\nSqliteStore.open(sys.argv[1])"


def opened_by_another(url, cwd=None):
    return subprocess.run([sys.executable, "-c", OPENING, url], capture_output=True, text=True, check=False, cwd=cwd)


def test_a_store_in_use_is_refused_by_whatever_name(store, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.db").symlink_to(store.path)
    (tmp_path / "folder").symlink_to(tmp_path, target_is_directory=True)
    os.link(store.path, tmp_path / "elsewhere" / "hard.db")
    urls = [
        f"sqlite:///{tmp_path / 'link.db'}",
        f"sqlite:///{tmp_path / 'folder' / 'llmq.db'}",
        "sqlite:///llmq.db",
        "sqlite:///elsewhere/../llmq.db",
        f"sqlite:///{tmp_path / 'elsewhere' / 'hard.db'}",
    ]
    for url in urls:
        other = opened_by_another(url, tmp_path)
        assert "is in use by another llmq" in other.stderr, url
    store.journal.commit([(2, ENTRY)])
    store.close()
    assert opened_by_another(urls[-1], tmp_path).returncode == 0


def test_a_store_in_use_is_refused_by_a_mount_of_its_file(store, tmp_path):
    if not shutil.which("unshare"):
        pytest.fail("the test of a mounted file needs unshare: apt-get install util-linux")
    (tmp_path / "mounted").mkdir()
    mounted = tmp_path / "mounted" / "llmq.db"
    mounted.touch()
    script = f'mount --bind {store.path} {mounted} && exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    command += [sys.executable, "-c", OPENING, f"sqlite:///{mounted}"]
    other = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "which names the same file differently (a hard link, or a mount of it)" in other.stderr


def test_the_lock_of_the_file_does_not_shut_sqlite_out(store):
    store.commit(recorded(2))
    assert store.rows.known([(2).to_bytes(16, "big")])


def test_where_locks_are_not_kept_apart_a_store_can_be_used_all_the_same(tmp_path, monkeypatch):
    """As on NFS, where flock() is a lock like those of SQLite, and would keep SQLite out of its own file."""

    def conflicts(*_arguments):
        raise BlockingIOError

    monkeypatch.setattr("exporter.store.sqlite.files.fcntl.lockf", conflicts)
    with closing(SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}")) as store:
        os.link(store.path, tmp_path / "hard.db")
        store.commit(recorded(1))
        assert opened_by_another(f"sqlite:///{tmp_path / 'hard.db'}").returncode == 0
