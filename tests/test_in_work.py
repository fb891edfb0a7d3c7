"""What is worked on is known to the next process, whatever ends this one; and a copy ends in its place."""

import os
import signal
import time
from pathlib import Path

import pytest

from exporter.records.requests import Entry
from exporter.runtime.isolation import survives
from exporter.store import in_work
from exporter.store.in_work import DEATHS, InWork, Marked, PoisonError, key_of
from exporter.store.quarantine import MOST_FILES, Quarantine

A, B = b"A" * 16, b"B" * 16
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # of other tests' threads


@pytest.fixture
def path(tmp_path):
    return tmp_path / "llmq.db.work"


def killed(path, work):
    """Do some work in a process that ends by a kill."""

    def ending():
        work(InWork(path))
        os.kill(os.getpid(), signal.SIGKILL)

    assert not survives(ending, lambda: None)


# Marks.


def test_a_new_file_has_no_marks(path):
    assert (InWork(path).left, InWork(path).tries) == ((), 0)


def test_marks_outlive_a_kill(path):
    def work(marks):
        marks.mark("evaluate", [A, B])
        marks.committing([key_of(7)])
        marks.on_trial(2)

    killed(path, work)
    found = InWork(path)
    assert found.left == (Marked("evaluate", (A, B)), Marked("commit", (key_of(7),)))
    assert found.tries == 2


def test_what_is_done_leaves_no_mark(path):
    def work(marks):
        with marks.on("normalise", [A]):
            pass
        marks.committing([B])
        marks.committed()

    killed(path, work)
    assert InWork(path).left == ()


def test_the_last_mark_counts(path):
    killed(path, lambda marks: (marks.mark("normalise", [A, B]), marks.mark("evaluate", [B])))
    assert InWork(path).left == (Marked("evaluate", (B,)),)


def test_a_process_that_ends_as_it_should_leaves_no_marks(path):
    marks = InWork(path)
    marks.mark("evaluate", [A])
    marks.committing([A])
    marks.on_trial(1)
    marks.close()
    assert (InWork(path).left, InWork(path).tries) == ((), 0)


def test_after_a_power_failure_nothing_is_suspected(path, monkeypatch):
    def work(marks):
        marks.mark("evaluate", [A])
        marks.committing([B])
        marks.on_trial(2)

    killed(path, work)
    monkeypatch.setattr(in_work, "_boot", lambda: b"another boot of ")
    assert (InWork(path).left, InWork(path).tries) == ((), 0)
    assert InWork(path).left == ()


def test_more_than_there_is_room_for_is_marked_as_far_as_there_is(path):
    killed(path, lambda marks: (marks.mark("evaluate", [A] * 10_000), marks.committing([B] * 100_000)))
    loop, commit = InWork(path).left
    assert set(loop.keys) == {A}
    assert set(commit.keys) == {B}
    assert len(commit.keys) > 60_000


@pytest.mark.parametrize("content", [b"\xff" * 5000, b"x", os.urandom(2 << 20)])
def test_a_damaged_file_is_no_error(path, content):
    path.write_bytes(content)
    assert InWork(path).left == ()


def test_a_mark_that_cannot_be_written_is_no_error(path):
    marks = InWork(path)
    marks.close()
    marks.mark("evaluate", [A])
    marks.clear()


# Bodies.


def read(body):
    def work(marks):
        with marks.reading(body):
            os.kill(os.getpid(), signal.SIGKILL)

    return work


def test_a_body_that_ends_the_process_each_time_is_read_no_more(path):
    for _ in range(DEATHS):
        with InWork(path).reading(b"good"):
            pass
        killed(path, read(b"bad"))
    marks = InWork(path)
    assert marks.unreadable == 1
    with pytest.raises(PoisonError), marks.reading(b"bad"):
        pass
    with marks.reading(b"good"):
        pass
    assert InWork(path).unreadable == 0


def test_a_body_that_was_read_once_is_not_suspected_any_more(path):
    for _ in range(DEATHS - 1):
        killed(path, read(b"unlucky"))
    with InWork(path).reading(b"unlucky"):
        pass
    killed(path, read(b"unlucky"))
    with InWork(path).reading(b"unlucky"):
        pass


def test_few_bodies_are_remembered(path):
    marks = InWork(path)
    for number in range(1000):
        marks.condemn(b"%d" % number)
    with pytest.raises(PoisonError):
        InWork(path).check(b"999")
    InWork(path).check(b"1")


# Copies.


def test_a_copy_that_does_its_work_survives_and_changes_nothing_here(tmp_path):
    seen = []
    assert survives(lambda: (seen.append(1), (tmp_path / "told").write_text("done"))[0], lambda: None)
    assert (seen, (tmp_path / "told").read_text()) == ([], "done")


def fail():
    raise MemoryError


@pytest.mark.parametrize("work", [os.abort, fail, lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(3)])
def test_a_copy_that_ends_in_another_way_does_not_survive(work):
    assert not survives(work, lambda: None)


def test_a_copy_in_which_nothing_goes_on_is_ended(tmp_path):
    pid = tmp_path / "pid"

    def stand_still():
        pid.write_text(str(os.getpid()))
        time.sleep(600)

    assert not survives(stand_still, pid.exists, patience=1.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


# The quarantine.


@pytest.fixture
def quarantine(tmp_path, clock):
    return Quarantine(tmp_path / "llmq.db", clock)


def test_what_is_kept_is_for_its_owner_only_and_found_again(quarantine):
    path = quarantine.keep("a.json", b"{}")
    assert (path.read_bytes(), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (b"{}", 0o600, 0o700)


def test_a_request_is_kept_once_under_a_name_that_replay_knows(quarantine):
    entry = Entry("logs", "application/x-protobuf", "gzip", b"body", 0.0)
    first = quarantine.keep_request(entry)
    assert first.name.endswith(".logs.pb.gz")
    first.write_bytes(b"as it was")
    assert quarantine.keep_request(entry).read_bytes() == b"as it was"


def test_few_files_are_kept_and_the_latest_stay(quarantine, clock):
    for number in range(MOST_FILES + 20):
        clock.move(1)
        quarantine.keep(f"{number}.json", b"x")
    kept = {int(path.stem) for path in quarantine.folder.iterdir()}
    assert kept == set(range(20, MOST_FILES + 20))


def test_what_is_old_or_forgotten_goes(quarantine, clock):
    quarantine.keep("old.json", b"x")
    clock.move(100)
    for name in ("aa.json", "aa.logs.json", "bb.json"):
        quarantine.keep(name, b"x")
    quarantine.expire(50)
    quarantine.forget(["aa"])
    assert [path.name for path in quarantine.folder.iterdir()] == ["bb.json"]


def test_where_nothing_can_be_kept_nothing_is_lost_but_the_file(tmp_path, clock):
    Path(tmp_path / "llmq.db.quarantine").write_text("in the way")
    quarantine = Quarantine(tmp_path / "llmq.db", clock)
    assert quarantine.keep("a.json", b"{}") is None
    quarantine.expire(1)
    quarantine.forget(["a"])
