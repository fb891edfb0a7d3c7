"""A clock that jumps: nothing is deleted that was not old before, and nothing hangs; over restarts, too."""

import pytest
import yaml
from aiohttp.test_utils import TestClient, TestServer

from exporter.app.application import Exporter, make_app
from exporter.config import load
from exporter.judge.budget import Cap, Caps
from exporter.runtime.clock import BELIEVED, GAP, SteadyClock
from exporter.store.sqlite.spend_ledger import LedgerFile

DAY = 86_400.0


class Machine:
    """A machine's clock, which can be set, and the time that really passes."""

    def __init__(self):
        self.passed, self.set_by, self.boot = 1000.0, 1_790_000_000.0, "first"

    def clock(self):
        return SteadyClock(lambda: self.set_by + self.passed, lambda: self.passed, lambda: self.boot)

    @property
    def wall(self):
        return self.set_by + self.passed

    def wait(self, seconds):
        self.passed += seconds

    def set(self, seconds):
        self.set_by += seconds

    def reboot(self, after=0.0):
        """Begin to count anew, that much later."""
        self.set_by, self.passed, self.boot = self.wall + after - 5.0, 5.0, f"{self.boot} again"


@pytest.fixture
def machine():
    return Machine()


def restarted(machine, clock, after=0.0):
    kept = clock.kept()
    machine.wait(after)
    again = machine.clock()
    again.resume(kept)
    return again


def test_it_begins_with_the_machines_time_and_passes_as_time_does(machine):
    clock = machine.clock()
    assert clock() == machine.wall
    machine.wait(5.0)
    assert clock() == machine.wall
    assert (clock.look(), clock.off) == (None, 0.0)


@pytest.mark.parametrize("jump", [8 * DAY, 3600.0, 11.0, -11.0, -3600.0, -400 * DAY])
def test_a_jump_is_told_once_and_not_followed_and_so_is_its_end(machine, jump):
    clock = machine.clock()
    before = clock()
    machine.set(jump)
    machine.wait(1.0)
    assert clock.look() == pytest.approx(jump)
    assert clock() == pytest.approx(before + 1.0)
    assert clock.off == pytest.approx(jump)
    machine.wait(45.0)
    assert clock.look() is None
    machine.set(-jump)
    assert clock.look() == pytest.approx(-jump)
    assert (clock.off, clock()) == (0.0, pytest.approx(before + 46.0))


@pytest.mark.parametrize("step", [5.0, -5.0, 0.2, -0.2])
def test_a_correction_of_seconds_is_followed_and_no_time_comes_twice(machine, step):
    clock = machine.clock()
    machine.set(step)
    last = clock()
    for _ in range(150):
        machine.wait(1.0)
        assert clock.look() is None
        assert last + 0.9 < clock() < last + 1.1
        last = clock()
    assert clock() == pytest.approx(machine.wall, abs=0.01)


def test_a_clock_that_drifts_is_followed(machine):
    clock = machine.clock()
    for _ in range(10_000):
        machine.wait(1.0)
        machine.set(0.001)
        clock.look()
    assert (clock.off, clock()) == (0.0, pytest.approx(machine.wall, abs=0.1))


def test_a_restart_on_the_same_boot_goes_on_as_if_there_had_been_none(machine):
    clock = machine.clock()
    expected = clock() + 60.0
    machine.set(8 * DAY)
    clock = restarted(machine, clock, after=60.0)
    assert clock() == pytest.approx(expected)
    assert clock.look() == pytest.approx(8 * DAY)
    clock = restarted(machine, clock)
    assert clock() == pytest.approx(expected)
    assert (clock.look(), clock.off) == (None, pytest.approx(8 * DAY))


@pytest.mark.parametrize("jump", [8 * DAY, -8 * DAY])
def test_a_start_takes_a_time_over_that_has_stayed_for_a_day(machine, jump):
    clock = machine.clock()
    machine.set(jump)
    clock.look()
    machine.wait(BELIEVED - 10)
    clock = restarted(machine, clock)
    assert clock() == pytest.approx(machine.wall - jump)
    machine.wait(20)
    clock = restarted(machine, clock)
    assert clock() == machine.wall
    assert (clock.look(), clock.off) == (None, 0.0)


def test_after_a_boot_the_machines_time_is_taken_but_never_one_before_what_was(machine):
    clock = machine.clock()
    kept, before = clock.kept(), clock()
    machine.reboot(after=120.0)
    clock = machine.clock()
    clock.resume(kept)
    assert clock() == clock.aged() == machine.wall == before + 120.0
    machine.set(-3600.0)
    clock = machine.clock()
    clock.resume(kept)
    assert clock() == before


def test_after_a_long_time_between_boots_nothing_is_old_for_an_hour(machine):
    clock = machine.clock()
    kept, before = clock.kept(), clock()
    machine.reboot(after=8 * DAY)
    clock = machine.clock()
    clock.resume(kept)
    assert (clock(), clock.aged()) == (machine.wall, before)
    machine.wait(GAP - 1)
    assert clock.aged() == before + GAP - 1
    machine.wait(2)
    assert clock.aged() == clock() == machine.wall


def test_if_the_clock_turns_out_to_have_been_wrong_nothing_is_old_until_the_next_start(machine):
    clock = machine.clock()
    kept, before = clock.kept(), clock()
    machine.reboot(after=8 * DAY)
    clock = machine.clock()
    clock.resume(kept)
    machine.set(-8 * DAY)
    assert clock.look() == pytest.approx(-8 * DAY)
    machine.wait(GAP + 10)
    assert clock.aged() == pytest.approx(before + GAP + 10)


# A whole exporter.


@pytest.fixture
def run(tmp_path, machine):
    """Start an exporter on the machine's clock."""

    def start(config=None):
        (tmp_path / "llmq.yaml").write_text(yaml.safe_dump(config or {"store": {"content": "all"}}))
        path = tmp_path / "llmq.yaml"
        clock = machine.clock()
        exporter = Exporter(load(path, store=f"sqlite:///{tmp_path / 'llmq.db'}", listen="127.0.0.1:0"), clock)
        return Running(exporter, machine, clock)

    return start


class Running:
    def __init__(self, exporter, machine, clock):
        self.exporter, self.machine, self.clock = exporter, machine, clock

    async def __aenter__(self):
        self.client = TestClient(TestServer(make_app(self.exporter)))
        await self.client.start_server()
        return self

    async def __aexit__(self, *_):
        await self.client.close()

    async def ask(self, number):
        asked = {"trace_id": f"{number:032x}", "app": "shop", "question": "Refunds?", "answer": "Within 30 days."}
        async with self.client.post("/v1/interactions", json=asked) as answered:
            assert answered.status == 200

    async def wait(self, seconds):
        self.machine.wait(seconds)
        self.exporter.time.look()
        while self.exporter.pipeline.score():
            pass
        self.exporter.feedback.desk.tick()
        self.exporter.review.desk.tick()
        await self.exporter.pipeline.retention.apply()
        await self.exporter.pipeline.flush()

    async def has(self, number):
        async with self.client.get(f"/api/traces/{number:032x}") as answered:
            return answered.status == 200

    async def metrics(self):
        async with self.client.get("/metrics") as answered:
            return await answered.text()


async def test_eight_days_forward_delete_nothing_and_are_counted(run, machine, caplog):
    async with run({"store": {"content": "all", "retention": {"age": "7d", "content": "1d"}}}) as exporter:
        await exporter.ask(1)
        await exporter.wait(3)
        machine.set(8 * DAY)
        await exporter.wait(45)
        assert await exporter.has(1)
        await exporter.ask(2)
        await exporter.wait(3)
        assert await exporter.has(2)
        shown = await exporter.metrics()
        assert 'llmq_exporter_clock_jumps_total{direction="forward"} 1.0' in shown
        assert f"llmq_exporter_clock_offset_seconds {8 * DAY}" in shown
        assert 'llmq_requests_total{app="shop"' in shown
        assert "the machine's clock jumped by +691200 s" in caplog.text
        machine.set(-8 * DAY)
        await exporter.wait(1)
        assert "llmq_exporter_clock_offset_seconds 0.0" in await exporter.metrics()
        assert await exporter.has(1)
        stored = exporter.exporter.store.rows.document(bytes.fromhex(f"{1:032x}"))
        assert b"Within 30 days." in stored


async def test_an_hour_back_leaves_no_trace_open(run, machine):
    async with run() as exporter:
        await exporter.ask(1)
        machine.set(-3600.0)
        await exporter.wait(3)
        assert await exporter.has(1)
        await exporter.ask(2)
        await exporter.wait(3)
        assert await exporter.has(2)
        assert "llmq_exporter_journal_lag_seconds 0.0" in await exporter.metrics()


async def test_a_restart_while_the_clock_is_wrong_deletes_nothing(run, machine):
    async with run() as exporter:
        await exporter.ask(1)
        await exporter.wait(3)
        await exporter.ask(2)
    machine.set(8 * DAY)
    async with run() as exporter:
        await exporter.wait(30)
        assert await exporter.has(1)
        assert await exporter.has(2)
        assert 'llmq_exporter_clock_jumps_total{direction="forward"} 1.0' in await exporter.metrics()
    machine.set(-16 * DAY)
    async with run() as exporter:
        await exporter.ask(3)
        await exporter.wait(3)
        assert await exporter.has(3)


async def test_after_a_boot_with_a_wrong_clock_nothing_is_deleted_for_an_hour_and_then_what_is_old(run, machine):
    async with run() as exporter:
        await exporter.ask(1)
        await exporter.wait(3)
    machine.reboot(after=8 * DAY)
    async with run() as exporter:
        await exporter.wait(GAP / 2)
        assert await exporter.has(1)
        await exporter.wait(GAP)
        assert not await exporter.has(1)


async def test_what_is_old_is_deleted_all_the_same(run, machine):
    async with run() as exporter:
        await exporter.ask(1)
        await exporter.wait(3)
        await exporter.wait(7 * DAY - 60)
        assert await exporter.has(1)
        await exporter.wait(120)
        assert not await exporter.has(1)


async def test_a_trace_that_was_taken_while_the_clock_was_ahead_is_not_open_until_then(run, machine):
    """The time that was ahead for a day is believed, and then one that is right."""
    async with run() as exporter:
        await exporter.wait(1)
        machine.set(-30 * DAY)
        await exporter.wait(1)
        machine.wait(BELIEVED)
        await exporter.ask(1)
        assert exporter.clock() == pytest.approx(machine.wall + 30 * DAY)
    async with run() as exporter:
        assert exporter.clock() == machine.wall
        await exporter.wait(90)
        assert await exporter.has(1)


def test_a_real_process_goes_by_a_steady_clock(killable):
    process = killable({})
    assert process.samples()["llmq_exporter_clock_offset_seconds", frozenset()] == 0
    process.stop()


async def test_a_budget_is_not_given_twice(tmp_path, machine):
    clock = machine.clock()
    purse = LedgerFile(tmp_path / "ledger.db", Caps(hour=Cap(tokens=10)), now=clock)
    assert purse.reserve(10, 0) == 1
    machine.set(8 * DAY)
    clock.look()
    assert purse.reserve(10, 0) == "hour_tokens"
    machine.set(-8 * DAY - 7200)
    clock.look()
    assert purse.reserve(10, 0) == "hour_tokens"
    purse.close()
    clock = restarted(machine, clock)
    purse = LedgerFile(tmp_path / "ledger.db", Caps(hour=Cap(tokens=10)), now=clock)
    assert purse.reserve(10, 0) == "hour_tokens"
    purse.close()
