"""A new series is read at 0 by all who scrape, then counts: nothing is lost, nothing counted twice, none stuck."""

import asyncio
import random
import shutil
import threading
import time
from contextlib import asynccontextmanager
from itertools import pairwise

import aiohttp
import httpx
import pytest
import yaml
from aiohttp.test_utils import TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from exporter.app.application import Exporter, make_app
from exporter.config import load
from exporter.metrics import births as births_module
from exporter.metrics import families as f
from exporter.metrics.births import INTRODUCTION, LONGEST, Births, Scraper
from exporter.metrics.labels import Slice
from exporter.metrics.registry import Metrics
from exporter.metrics.series import series_of
from exporter.model.score import Evaluation, Outcome
from exporter.model.trace import Trace
from exporter.rules.files import render
from exporter.rules.slo import DEFAULT_SLOS

A, B = Scraper("10.0.0.1", "4001", "Prometheus"), Scraper("10.0.0.2", "4002", "Prometheus")
HEADERS = {"X-Prometheus-Scrape-Timeout-Seconds": "10", "User-Agent": "Prometheus/2.42.0"}
WHERE = Slice("shop", "/chat", "m1", "v1")
REQUESTS = series_of(f.REQUESTS, WHERE)


class Clock:
    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


class Scene:
    """The births of an exporter whose metrics are scraped at set times; ``seconds`` after the start is now."""

    def __init__(self, wait="auto"):
        self.clock = Clock()
        self.births = Births(wait, self.clock)

    def pass_until(self, at, **intervals):
        """Let scrapers come by at their intervals, each given as (seconds, offset), until so long after the start."""
        visits = [
            (offset + number * every, who)
            for who, (every, offset) in intervals.items()
            for number in range(int(at / every) + 2)
        ]
        begun = self.clock.at
        for moment, who in sorted(visits):
            if begun < moment <= at:
                self.clock.at = moment
                self.births.scraped(Scraper("10.0.0.1", who, "Prometheus"), self.births.mark())
        self.clock.at = at

    def is_held(self, series=REQUESTS):
        self.births.release(self.births.due())
        return series in self.births


def released_at(scene, born, **intervals):
    """How long after its birth a series is released, in steps of a second."""
    scene.pass_until(born, **intervals)
    scene.births.add([REQUESTS])
    for second in range(1, 400):
        scene.pass_until(born + second, **intervals)
        if not scene.is_held():
            return second
    return None


def test_a_series_is_held_until_the_one_who_scrapes_has_read_it():
    assert released_at(Scene(), 100.5, one=(15, 0)) == 5


def test_both_of_a_pair_read_a_series_at_0_wherever_their_scrapes_lie():
    assert released_at(Scene(), 105.5, one=(15, 0), two=(15, 1)) == 15
    assert released_at(Scene(), 105.5, one=(15, 0), two=(15, 14)) == 15


def test_the_slowest_of_those_who_scrape_is_waited_for():
    assert released_at(Scene(), 181.5, fast=(15, 0), slow=(60, 0)) == 59
    assert released_at(Scene(), 250, fast=(1, 0), slow=(120, 10)) == 120


def test_a_first_minute_passes_before_it_is_known_who_scrapes():
    assert released_at(Scene(), 1, fast=(1, 0)) == INTRODUCTION - 1
    assert released_at(Scene(), 1, fast=(1, 0), slow=(60, 55)) == INTRODUCTION - 1


def test_who_does_not_come_back_is_waited_for_a_few_intervals_only():
    scene = Scene()
    scene.pass_until(100, stays=(15, 0), leaves=(15, 7))
    assert released_at(scene, 101, stays=(15, 0)) == 97 + 2.5 * 15 + 0.5 - 101


def test_a_program_that_opens_a_connection_for_each_scrape_delays_and_loses_nothing():
    scene = Scene()
    for number in range(9):
        scene.clock.at = 15.0 * number
        scene.births.scraped(Scraper("10.0.0.1", str(number), "Prometheus"), scene.births.mark())
    scene.births.add([REQUESTS])
    waited = 0
    while scene.is_held():
        waited += 15
        scene.clock.at += 15
        scene.births.scraped(Scraper("10.0.0.1", f"after {waited}", "Prometheus"), scene.births.mark())
    assert 15 < waited <= 105


def test_without_anybody_who_scrapes_it_is_not_held_for_ever():
    assert released_at(Scene(), 1000) == LONGEST


def test_a_duration_that_was_told_counts_from_birth_whoever_scrapes():
    assert released_at(Scene(75.0), 5, fast=(1, 0)) == 75
    assert released_at(Scene(75.0), 5) == 75


def test_what_is_never_to_be_held_is_not():
    scene = Scene(0.0)
    scene.births.add([REQUESTS])
    assert not scene.is_held()
    assert len(scene.births) == 0


def test_a_scrape_that_began_before_a_birth_has_not_read_it():
    scene = Scene()
    scene.pass_until(100, one=(15, 0))
    mark = scene.births.mark()
    scene.births.add([REQUESTS])
    scene.births.scraped(Scraper("10.0.0.1", "one", "Prometheus"), mark)
    assert scene.is_held()


def test_a_crowd_of_strangers_displaces_nobody_who_comes_regularly():
    scene = Scene()
    scene.pass_until(100, one=(15, 0))
    scene.births.add([REQUESTS])
    for number in range(1000):
        scene.births.scraped(Scraper(f"10.0.{number}", "", ""), scene.births.mark())
    assert len(scene.births._scrapers) <= 64
    scene.clock.at += 89
    assert Scraper("10.0.0.1", "one", "Prometheus") in scene.births._scrapers


class Life:
    """An exporter's metrics over its restarts, the rows that its store has, and what each scraper has read."""

    def __init__(self, wait="auto"):
        self.clock, self.wait = Clock(), wait
        self.rows, self.read = {}, {}
        self.counted = 0
        self.start()

    def start(self):
        self.metrics = Metrics(version="1", births=Births(self.wait, self.clock), now=self.clock)
        self.metrics.restore([(*key, value) for key, value in self.rows.items()])

    def commit(self, *, verdicts=0, where=WHERE, shown=True):
        """Make a tally durable; ``shown``: the process lives on to show it."""
        tally = self.metrics.tally()
        for _ in range(verdicts):
            failed = Evaluation(evaluator="refusal", evaluator_version="1", verdict="fail", score=0.0)
            tally.trace_recorded(where, Trace(trace_id="ab" * 16), Outcome(evaluations=(failed,)), None)
        self.rows |= {row[:2]: row[2] for row in self.metrics.stage(tally)}
        self.counted += verdicts
        if shown:
            self.metrics.apply(tally)

    def scrape(self, who):
        births = self.metrics.births
        mark, totals = births.mark(), self.metrics.snapshot(held=True).totals
        births.scraped(who, mark)
        shown = {series: value for series, value in totals.numbers.items() if series.family.type == "counter"}
        shown |= {series: sum(histogram.counts) for series, histogram in totals.histograms.items()}
        self.read.setdefault(who, []).append(shown)
        return shown

    def increase(self, who, series):
        """What Prometheus makes of what it has read: what a series had when it first appeared is not counted."""
        values = [shown[series] for shown in self.read[who] if series in shown]
        return sum(after - before if after >= before else after for before, after in pairwise(values))


def fails(where=WHERE):
    return series_of(f.EVALUATIONS, ("refusal", "1", "fail", "all", *where))


def test_all_series_of_a_slice_are_released_in_one_scrape():
    life = Life()
    for _ in range(5):
        life.clock.at += 15
        life.scrape(A)
    life.commit(verdicts=200)
    assert set(life.scrape(A).values()) == {0}
    life.clock.at += 15
    life.commit()
    shown = life.scrape(A)
    score = series_of(life.metrics._slices.score, ("refusal", "1", "all", *WHERE[:3]))
    assert [shown[series] for series in (REQUESTS, fails(), score)] == [200, 200, 200]
    assert life.increase(A, REQUESTS) == 200


def test_a_series_that_was_born_before_a_restart_is_read_at_0_after_it():
    life = Life()
    life.commit(verdicts=200)
    life.start()
    assert life.scrape(A)[fails()] == 0
    life.clock.at = LONGEST
    life.commit()
    assert life.scrape(A)[fails()] == 200


def test_a_series_that_counted_before_a_restart_does_not_go_back_to_0():
    life = Life(wait=30.0)
    life.commit(verdicts=200)
    life.scrape(A)
    life.clock.at = 30
    life.commit()
    assert life.scrape(A)[fails()] == 200
    life.start()
    assert life.scrape(A)[fails()] == 200
    assert life.increase(A, fails()) == 200


def test_a_release_that_was_stored_and_not_shown_is_shown_after_the_restart():
    life = Life(wait=30.0)
    life.commit(verdicts=200)
    life.scrape(A)
    life.clock.at = 30
    life.commit(shown=False)
    assert life.scrape(A)[fails()] == 0
    life.start()
    assert life.scrape(A)[fails()] == 200
    assert life.increase(A, fails()) == 200


def test_totals_of_a_store_without_births_are_shown_as_they_are():
    life = Life(wait=0.0)
    life.commit(verdicts=200)
    assert not any("held" in value for value in life.rows.values())
    life.wait = "auto"
    life.start()
    assert life.scrape(A)[fails()] == 200


def test_a_series_that_expired_and_comes_back_is_new_again():
    life = Life(wait=30.0)
    life.commit(verdicts=5)
    life.clock.at = 40
    life.commit()
    life.scrape(A)
    life.metrics.drop(life.metrics.expired(before=1000.0))
    life.commit(verdicts=7)
    assert life.scrape(A)[fails()] == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("count"), st.integers(0, 3)),
        st.tuples(st.just("pass"), st.integers(1, 40)),
        st.tuples(st.just("crash"), st.sampled_from(["between", "stored"])),
    ),
    max_size=40,
)


@settings(max_examples=200)
@given(steps=STEPS, wait=st.sampled_from(["auto", 20.0]), intervals=st.tuples(st.integers(3, 19), st.integers(3, 19)))
def test_whoever_scrapes_counts_everything_once_whatever_comes_between(steps, wait, intervals):
    life, places = Life(wait), [Slice("shop", f"/{number}", "m1", "v1") for number in range(4)]
    every = dict(zip((A, B), intervals, strict=True))

    def let_pass(seconds):
        for _ in range(seconds):
            life.clock.at += 1
            for who, interval in every.items():
                if life.clock.at % interval == 0:
                    life.scrape(who)
            life.commit()

    let_pass(20)
    counted = dict.fromkeys(places, 0)
    for step, what in steps:
        if step == "count":
            life.commit(verdicts=3, where=places[what])
            counted[places[what]] += 3
        elif step == "pass":
            let_pass(what)
        else:
            if what == "stored":
                life.commit(verdicts=2, where=places[0], shown=False)
                counted[places[0]] += 2
            life.start()
    let_pass(int(LONGEST) + 40)
    for where, count in counted.items():
        for who in every:
            assert life.increase(who, fails(where)) == count


# Over HTTP, with a real Prometheus, and over real kills.


async def test_who_scrapes_reads_a_new_series_at_0_and_who_looks_reads_what_it_counted(run_exporter):
    exporter = await run_exporter({"metrics": {"birth": "1m"}})
    await exporter.ask("", "", "")
    assert await exporter.total("llmq_evaluations_total", evaluator="empty", verdict="fail") == 3
    assert await exporter.total("llmq_exporter_held_series") > 50
    async with exporter.client.get("/metrics", headers=HEADERS) as response:
        text = await response.text()
    shown = [line for line in text.splitlines() if line.startswith("llmq_evaluations_total{")]
    assert shown
    assert all(line.endswith(" 0.0") for line in shown)
    assert 'llmq_version_first_seen_timestamp_seconds{app="shop"' in text


async def test_who_asks_for_the_header_alone_has_read_nothing(run_exporter):
    exporter = await run_exporter()
    async with exporter.client.head("/metrics", headers=HEADERS) as response:
        assert response.status == 200
    assert not exporter.exporter.metrics.births._scrapers


async def test_behind_a_proxy_its_header_tells_who_scrapes(run_exporter):
    exporter = await run_exporter()
    for who in ("10.0.0.1", "10.0.0.2", "10.0.0.1"):
        async with exporter.client.get("/metrics", headers=HEADERS | {"X-Forwarded-For": who}) as response:
            assert response.status == 200
    known = exporter.exporter.metrics.births._scrapers
    assert sorted(scraper.address for scraper in known) == ["10.0.0.1", "10.0.0.2"]


async def test_a_reload_changes_how_long_series_are_held(run_exporter, tmp_path):
    exporter = await run_exporter({"metrics": {"birth": "1m"}})
    exporter.reload({"metrics": {"birth": "never"}})
    await exporter.ask("")
    async with exporter.client.get("/metrics", headers=HEADERS) as response:
        shown = [line for line in (await response.text()).splitlines() if line.startswith("llmq_requests_total{")]
    assert [line.rpartition(" ")[2] for line in shown] == ["1.0"]


class Prometheus:
    """A real Prometheus."""

    def __init__(self, session, address):
        self.session, self.address = session, address

    async def value(self, query):
        """The value of a query that has one series; None where it has none."""
        async with self.session.get(f"{self.address}/api/v1/query", params={"query": query}) as response:
            found = (await response.json())["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    async def when(self, query, holds, seconds=120):
        """The value of a query once it is so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            value = await self.value(query)
            if value is not None and holds(value):
                return value
            await asyncio.sleep(0.2)
        return pytest.fail(f"waited in vain for {query}, which is {value}")


@asynccontextmanager
async def prometheus(folder, target, interval, replica, rules=()):
    """A Prometheus that scrapes a target."""
    program = shutil.which("prometheus") or pytest.fail("install the Debian package prometheus: make packages")
    folder.mkdir()
    config = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": "1s",
            "evaluation_interval": "1s",
            "external_labels": {"replica": replica},
        },
        "rule_files": [str(rule) for rule in rules],
        "scrape_configs": [{"job_name": "llmq", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    flags = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    listen = "--web.listen-address=127.0.0.1:0"
    process = await asyncio.create_subprocess_exec(program, *flags, listen, stderr=asyncio.subprocess.PIPE)
    drain = None
    try:
        address = await asyncio.wait_for(_listening(process.stderr), 120)
        drain = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession() as session:
            yield Prometheus(session, address)
    finally:
        process.terminate()
        if drain is not None:
            await drain
        await process.wait()


async def _listening(log):
    while line := (await log.readline()).decode():
        if "Listening on" in line:
            return "http://" + line.split("address=")[1].split()[0]
    return pytest.fail("Prometheus did not start")


def hurried_rules(folder):
    """The rules of one SLI whose page waits for a second."""
    empty = next(slo for slo in DEFAULT_SLOS if slo.name == "empty")
    window = replace(empty.windows[0], pending="1s")
    files = render([replace(empty, windows=(window,), alerts=(window.name,))])
    for name, text in files.items():
        if name.startswith("slo-"):
            (folder / name).write_text(text)
            yield folder / name


@pytest.fixture
async def served(tmp_path, monkeypatch):
    """A whole exporter in real time that takes everybody who scrapes to be known after some seconds."""
    monkeypatch.setattr(births_module, "INTRODUCTION", 6.0)
    exporter = Exporter(load(None, store=f"sqlite:///{tmp_path / 'llmq.db'}", listen="127.0.0.1:0"))
    server = TestServer(make_app(exporter), host="127.0.0.1")
    await server.start_server()
    yield server
    await server.close()


async def test_the_first_batch_of_a_version_is_counted_whole_by_all_who_scrape_and_pages(served, tmp_path):
    target, rules = f"127.0.0.1:{served.port}", list(hurried_rules(tmp_path))
    asked = [{"id": str(each), "app": "shop", "route": "/chat", "question": "Why?"} for each in range(200)]
    bad = [{**one, "model": "m1", "prompt_version": "v2", "answer": ""} for one in asked]
    failing = 'llmq_evaluations_total{evaluator="empty",verdict="fail",prompt_version="v2"}'
    async with (
        prometheus(tmp_path / "a", target, "1s", "a", rules) as one,
        prometheus(tmp_path / "b", target, "1s", "b") as two,
        prometheus(tmp_path / "c", target, "4s", "c") as slow,
    ):
        for each in (one, two, slow):
            await each.when('count_over_time(up{job="llmq"}[1m])', lambda count: count >= 2)
        async with one.session.post(served.make_url("/v1/interactions"), json=bad) as response:
            assert response.status == 200
        for each in (one, two, slow):
            assert await each.when(failing, lambda count: count > 0) == 200
            assert await each.value(f"min_over_time({failing}[10m])") == 0
            # Of few samples Prometheus makes a little more than there was, of many what is true.
            await each.when(f"increase({failing}[10m])", lambda count: 200 <= count < 230)
        firing = 'count(ALERTS{alertname="LLMQualityBudgetBurn",alertstate="firing",level="route"})'
        assert await one.when(firing, lambda count: count >= 1) == 1
        await one.when("app:llmq_sli_bad_events:increase15m", lambda count: 200 <= count < 230)


class Scraping(threading.Thread):
    """Scrapes an exporter that is killed again and again, on one connection while there is one."""

    def __init__(self, url, every):
        super().__init__(daemon=True)
        self.url, self.every, self.ended = url, every, threading.Event()
        self.values = {}
        self.start()

    def run(self):
        with httpx.Client(base_url=self.url, headers=HEADERS, timeout=120) as http:
            while not self.ended.wait(self.every):
                try:
                    text = http.get("/metrics").text
                except httpx.TransportError:
                    continue
                for line in text.splitlines():
                    if line.startswith("llmq_requests_total{"):
                        series, _, value = line.rpartition(" ")
                        self.values.setdefault(series, []).append(float(value))

    def increase(self):
        """What Prometheus makes of it; a counter that goes back is counted from 0."""
        return sum(
            after - before if after >= before else after
            for values in self.values.values()
            for before, after in pairwise(values)
        )


def test_killed_at_any_moment_every_new_version_is_counted_whole_once(killable):
    process = killable({"metrics": {"birth": "500ms"}, "labels": {"budgets": {"prompt_version": 1000}}})
    moments, sent = random.Random(5), 0
    scraping = [Scraping(process.url, every) for every in (0.05, 0.15)]

    def work(client):
        nonlocal sent
        while not client.ended.is_set():
            answers = [
                {"id": f"{sent}-{number}", "app": "shop", "prompt_version": f"v{sent // 20}", "answer": "Yes."}
                for number in range(10)
            ]
            client.post("/v1/interactions", answers)
            sent += 10
            client.pause(0.05)

    client = process.client(work)
    for _ in range(9):
        time.sleep(moments.uniform(0.3, 1.5))
        process.kill()
        process.start()
    client.finish()
    process.wait_until(lambda: process.total("llmq_requests_total") == sent)
    try:
        process.wait_until(lambda: all(each.increase() == sent for each in scraping))
    finally:
        for each in scraping:
            each.ended.set()
            each.join(120)
    assert len(scraping[0].values) > 5
    assert all(values[0] == 0 for each in scraping for values in each.values.values())
    process.stop()
