"""Scrapes: rendered in a thread from one moment's values, shared by those who ask at once, sent in parts."""

import asyncio
import gzip
import threading
from time import perf_counter

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from exporter.http import scraping
from exporter.metrics import families as f
from exporter.metrics.exposition import OPENMETRICS, TEXT
from exporter.metrics.registry import Metrics

MANY = 100_000
ROOMY = {"labels": {"slices": 20_000, "budgets": {"route": 10_000}}}


async def until(condition):
    """Wait until something is so, which the test's own requests bring about."""
    while not condition():  # noqa: ASYNC110 - nobody is told of it
        await asyncio.sleep(0.01)


def filled(exporter, series):
    """Give an exporter about so many lines to show."""
    tally, limiter = exporter.metrics.tally(), exporter.pipeline.settings.limiter
    for number in range(series // 14):
        where = limiter.slice("app", f"/route{number}", "model", "v1")
        tally.observe(f.REQUEST_DURATION, where, 1.0)
    exporter.metrics.apply(tally)


@pytest.mark.parametrize("accepted", ["gzip", "deflate, gzip;q=0.5", "gzip, br"])
async def test_a_scraper_that_takes_gzip_gets_the_same_in_a_fraction_of_the_bytes(run_exporter, accepted):
    exporter = await run_exporter(ROOMY)
    filled(exporter.exporter, 2_000)
    plain = await exporter.metrics()
    raw = exporter.client.get("/metrics", headers={"Accept-Encoding": accepted}, auto_decompress=False)
    async with raw as response:
        body = await response.read()
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(body) < len(plain) / 5
    assert gzip.decompress(body).count(b"llmq_request_duration") == plain.count("llmq_request_duration")


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "gzip;q=x", "br", ""])
async def test_a_scraper_that_does_not_take_gzip_gets_text(run_exporter, accepted):
    exporter = await run_exporter()
    async with exporter.client.get("/metrics", headers={"Accept-Encoding": accepted}) as response:
        assert "Content-Encoding" not in response.headers
        assert "llmq_exporter_build_info" in await response.text()


async def test_each_scraper_gets_the_format_that_it_asks_for_whoever_else_asks(run_exporter):
    exporter = await run_exporter(ROOMY)
    filled(exporter.exporter, 2_000)

    async def scrape(accept):
        async with exporter.client.get("/metrics", headers={"Accept": accept}) as response:
            return response.headers["Content-Type"], await response.text()

    wanted = ["text/plain", "application/openmetrics-text"] * 4
    answers = await asyncio.gather(*map(scrape, wanted))
    assert [content_type for content_type, _ in answers] == [TEXT, OPENMETRICS] * 4
    assert all(text.endswith("# EOF\n") for content_type, text in answers if content_type == OPENMETRICS)
    assert list(parse_openmetrics(answers[1][1]))


async def test_a_head_request_is_answered_without_a_body(run_exporter):
    exporter = await run_exporter()
    async with exporter.client.head("/metrics") as response:
        assert (response.status, await response.read()) == (200, b"")


async def test_scrapes_at_one_moment_cost_one_rendering(run_exporter, monkeypatch):
    exporter = await run_exporter()
    began, render, go_on = 0, Metrics.render, threading.Event()

    def counted(*args):
        nonlocal began
        began += 1
        go_on.wait(120)
        return render(*args)

    monkeypatch.setattr(Metrics, "render", counted)
    scrapes = [asyncio.create_task(exporter.metrics()) for _ in range(8)]
    await until(lambda: exporter.exporter.scrapes.answering == len(scrapes))
    go_on.set()
    assert len(set(await asyncio.gather(*scrapes))) == 1
    assert began == 1


async def test_too_many_scrapes_at_once_are_told_to_wait(run_exporter, monkeypatch):
    exporter = await run_exporter()
    render, go_on = Metrics.render, threading.Event()

    def slow(*args):
        go_on.wait(120)
        return render(*args)

    monkeypatch.setattr(Metrics, "render", slow)
    scrapes = [asyncio.create_task(exporter.metrics()) for _ in range(scraping.MOST_AT_ONCE)]
    await until(lambda: exporter.exporter.scrapes.answering == len(scrapes))
    async with exporter.client.get("/metrics") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
    go_on.set()
    assert all("llmq_exporter_build_info" in text for text in await asyncio.gather(*scrapes))
    assert "llmq_exporter_build_info" in await exporter.metrics()


async def test_a_client_that_does_not_read_its_answer_is_cut_off(run_exporter, monkeypatch):
    monkeypatch.setattr(scraping, "MOST_SECONDS", 0.2)
    exporter = await run_exporter(ROOMY)
    filled(exporter.exporter, MANY)
    url = exporter.client.make_url("/metrics")
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1024)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await until(lambda: exporter.exporter.scrapes.answering == 1)
    await until(lambda: exporter.exporter.scrapes.answering == 0)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(MANY * 1000)
    writer.close()


async def test_health_is_answered_while_the_largest_scrape_is_rendered(run_exporter):
    exporter = await run_exporter(ROOMY)
    filled(exporter.exporter, MANY)
    scrape = asyncio.create_task(exporter.metrics())
    started, waited = perf_counter(), []
    while not scrape.done():
        began = perf_counter()
        async with exporter.client.get("/-/healthy") as response:
            assert response.status == 200
        waited.append(perf_counter() - began)
        await asyncio.sleep(0.005)
    took = perf_counter() - started
    assert (await scrape).count("\n") > MANY
    assert waited
    assert max(waited) < max(0.25, took / 4)  # on a busy machine both take longer


async def test_what_is_counted_together_is_shown_together(run_exporter):
    exporter = await run_exporter(ROOMY)
    filled(exporter.exporter, 2_000)
    asking = asyncio.create_task(_ask_often(exporter))
    while not asking.done():
        samples = await exporter.samples()
        requests = samples.total("llmq_requests_total", app="shop")
        scored = samples.total("llmq_evaluations_total", app="shop", evaluator="refusal")
        assert requests == scored
    await asking
    assert await exporter.total("llmq_requests_total", app="shop") == 20


async def _ask_often(exporter):
    for number in range(20):
        await exporter.ask(f"It is {number}.")
