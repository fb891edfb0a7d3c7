"""``llmq store check``: what a store holds, and whether it is whole; nothing of it is changed."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from exporter.records.requests import Entry
from exporter.store.sqlite.migrations.store import STORE
from exporter.store.sqlite.store import SqliteStore

WRITTEN = Path(__file__).parent / "stores"


@pytest.fixture
def stored(tmp_path):
    """A store that another exporter wrote."""
    for file in (WRITTEN / "7.1.1").iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "llmq.db"


def execute(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_it_says_what_a_store_and_its_journal_hold_and_changes_nothing(llmq, stored):
    before = contents(stored.parent)
    code, out, err = llmq("store", "check", stored)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"{stored}: store, schema 7, {stored.stat().st_size:,} bytes"
    rows = {line[:20].strip(): line[20:].split() for line in lines if "  1  " in line or "request" in line}
    assert rows["trace document"] == ["11", "1", "17,557", "2026-09-21T14:13:23Z", "2026-09-21T14:13:30Z"]
    assert rows["judge job"][0] == "2"
    assert f"{stored}.journal: journal, schema 1" in out
    assert any(line.split()[:2] == ["request", "6"] for line in lines)
    assert lines[-1] == "whole"
    assert contents(stored.parent) == before


def test_json_is_for_scripts(llmq, stored):
    code, out, _ = llmq("store", "check", "--json", stored)
    store, journal = map(json.loads, out.splitlines())
    assert (code, store["schema"], store["faults"], journal["held"][0]["rows"]) == (0, 7, [], 6)


def test_an_older_store_is_read_as_it_is(llmq, tmp_path):
    path = shutil.copy(WRITTEN / "4.1.1" / "llmq.db", tmp_path)
    code, out, _ = llmq("store", "check", path)
    assert code == 0
    assert f"store, schema 4, is upgraded to {STORE.version} when llmq starts" in out


def test_a_ledger_is_known_too(llmq, stored):
    code, out, _ = llmq("store", "check", stored.with_name("ledger.db"))
    assert (code, "ledger, schema 1" in out) == (0, True)


def test_a_store_is_checked_while_an_exporter_writes_it(llmq, tmp_path):
    with closing(SqliteStore.open(f"sqlite:///{tmp_path / 'llmq.db'}")) as store:
        store.journal.commit([(1, Entry("traces", "", "", b"x", 1e9))])
        code, out, err = llmq("store", "check", store.path)
        assert (code, err) == (0, "")
        assert any(line.split()[:2] == ["request", "1"] for line in out.splitlines())
        store.journal.commit([(2, Entry("traces", "", "", b"x", 1e9))])
        assert len(list(store.journal.entries())) == 2


def test_a_store_is_checked_by_a_link_to_it_while_an_exporter_writes_it(llmq, tmp_path):
    (tmp_path / "folder").mkdir()
    with closing(SqliteStore.open(f"sqlite:///{tmp_path / 'folder' / 'llmq.db'}")) as store:
        store.journal.commit([(1, Entry("traces", "", "", b"x", 1e9))])
        (tmp_path / "link.db").symlink_to(store.path)
        code, out, _ = llmq("store", "check", tmp_path / "link.db")
    assert code == 0
    assert any(line.split()[:2] == ["request", "1"] for line in out.splitlines())


def damaged(path):
    with path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(os.urandom(4096 * 6))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (damaged, "damaged"),
        (lambda path: path.write_bytes(b"someone's notes" * 1000), "damaged, or no database"),
        (lambda path: os.truncate(path, 40960), "damaged"),
        (lambda path: os.truncate(path, 0), "is no file of llmq: name a store, a journal or a ledger"),
        (lambda path: path.unlink(), "there is no such file"),
        (lambda path: execute(path, "PRAGMA application_id = 7"), "is no file of llmq"),
        (lambda path: execute(path, "PRAGMA user_version = 99"), "written by a newer llmq (schema 99"),
        (lambda path: execute(path, "PRAGMA user_version = 3"), "too old to upgrade from (schema 3"),
        (
            lambda path: execute(path, "UPDATE judge_jobs SET version = 9"),
            '"judge job" of version 9',
        ),
        (
            lambda path: execute(path, "INSERT INTO formats VALUES ('dreams', 1)"),
            '"dreams", which this',
        ),
        (lambda path: execute(path, "UPDATE totals SET value = 'garbage'"), "117 totals that are not JSON"),
        (lambda path: execute(path, "UPDATE traces SET document = x'7b'"), "11 traces whose document is not JSON"),
        (lambda path: execute(path, "UPDATE traces SET spans = x'7b'"), "11 traces whose parts' keys are cut off"),
        (lambda path: execute(path, "DELETE FROM meta"), "marks of how far the journal is done"),
        (lambda path: path.with_name("llmq.db.journal").write_bytes(b"notes" * 5000), "llmq.db.journal"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_1(llmq, stored, harm, said):
    harm(stored)
    code, out, err = llmq("store", "check", stored)
    assert (code, said in err, "whole" in out) == (1, True, False), err
    assert str(stored) in err
