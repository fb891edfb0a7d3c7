"""What is read over HTTP: by whom, and what a reload swaps or keeps."""

import pytest

from exporter.http.runbooks import runbooks

SECRET = "a-secret-that-nobody-should-see"


@pytest.fixture
def with_tokens(run_exporter, monkeypatch):
    """An exporter whose one token may ingest, and whose other may read."""
    monkeypatch.setenv("APPS", SECRET)
    monkeypatch.setenv("PROMETHEUS", SECRET + "-2")
    monkeypatch.setenv("ADMIN", SECRET + "-3")
    tokens = [
        {"name": "apps", "roles": ["ingest"], "env": "APPS"},
        {"name": "prometheus", "roles": ["read"], "env": "PROMETHEUS"},
        {"name": "admin", "roles": ["admin"], "env": "ADMIN"},
    ]
    return lambda: run_exporter({"server": {"tokens": tokens}})


def bearer(suffix=""):
    return {"Authorization": f"Bearer {SECRET}{suffix}"}


async def test_tokens_say_who_may_read_and_who_may_send(with_tokens):
    client = (await with_tokens()).client
    assert (await client.get("/metrics")).status == 401
    assert (await client.get("/metrics", headers=bearer())).status == 403
    assert (await client.get("/metrics", headers=bearer("-2"))).status == 200
    assert (await client.post("/v1/traces", json={}, headers=bearer("-2"))).status == 403
    assert (await client.post("/v1/traces", json={}, headers=bearer())).status == 200
    assert (await client.post("/-/reload", headers=bearer("-2"))).status == 403
    assert (await client.get("/-/healthy")).status == 200


async def test_no_page_shows_a_secret(with_tokens):
    client = (await with_tokens()).client
    for path in ("/", "/config", "/metrics"):
        answer = await client.get(path, headers=bearer("-3"))
        assert answer.status == 200
        assert SECRET not in await answer.text()


async def test_the_front_page_runs_nothing_and_links_to_metrics(run_exporter):
    answer = await (await run_exporter()).client.get("/")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert 'href="/metrics"' in await answer.text()


async def test_a_reload_swaps_the_config(run_exporter):
    exporter = await run_exporter({"evaluators": {"refusal": {"enabled": True}}})
    exporter.write({"evaluators": {"refusal": {"enabled": False}}, "labels": {"allow": {"route": ["/a"]}}})
    assert (await exporter.client.post("/-/reload")).status == 200
    await exporter.post("/v1/interactions", json={"question": "?", "answer": "I can't help with that.", "route": "/b"})
    await exporter.pass_time(3)
    assert await exporter.total("llmq_evaluations_total", evaluator="refusal") == 0
    assert await exporter.total("llmq_requests_total", route="__other__") == 1
    assert await exporter.total("llmq_exporter_config_last_reload_successful") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("evaluators: {refusl: {}}", "refusl"),
        ("{", "llmq.yaml:1"),
    ],
)
async def test_a_reload_that_fails_keeps_the_config_and_says_why(run_exporter, tmp_path, text, said):
    exporter = await run_exporter({"labels": {"max_length": 64}})
    (tmp_path / "llmq.yaml").write_text(text)
    answer = await exporter.client.post("/-/reload")
    assert answer.status == 400
    assert said in await answer.text()
    assert await exporter.total("llmq_exporter_config_last_reload_successful") == 0
    assert "max_length: 64" in await (await exporter.client.get("/config")).text()


async def test_a_trace_is_not_found_by_a_name_that_is_none(run_exporter):
    client = (await run_exporter()).client
    for name in ("x", "a" * 31, "g" * 32, "%2e%2e"):
        assert (await client.get(f"/api/traces/{name}")).status == 404


async def test_what_needs_a_store_that_cannot_be_read_is_refused_for_now(run_exporter):
    exporter = await run_exporter()
    store = exporter.exporter.store.path
    for path in (store, store.with_name(f"{store.name}-wal")):
        path.write_bytes(b"damaged " * (path.stat().st_size // 8))
    exporter.exporter.store._reading.close()  # with what it remembers of the file
    answer = await exporter.client.get(f"/api/traces/{'a' * 32}")
    assert (answer.status, answer.headers.get("Retry-After")) == (503, "5")
    assert "the store cannot be read (corrupt)" in (await answer.json())["error"]


async def test_an_alerts_runbook_is_read_without_a_token(with_tokens):
    client = (await with_tokens()).client
    answer = await client.get("/runbooks/LLMQualityBudgetBurn")
    assert answer.status == 200
    assert "## Mitigation" in await answer.text()


async def test_there_is_no_runbook_outside_the_folder(with_tokens):
    client = (await with_tokens()).client
    for alert in ("Nothing", "..%2Falertmanager.yml", "..%2F..%2FREADME"):
        assert (await client.get(f"/runbooks/{alert}")).status == 404


async def test_a_runbook_has_the_links_and_the_job_of_the_config(run_exporter):
    alerting = {"grafana": "https://g.example/", "answers": "https://l.example/answers", "job": "quality"}
    client = (await run_exporter({"alerting": alerting})).client
    text = await (await client.get("/runbooks/LLMQualityBudgetBurn")).text()
    assert "(https://g.example/d/llmq-slo)" in text
    assert "(https://l.example/answers?verdict=fail)" in text
    every = [await (await client.get(f"/runbooks/{name}")).text() for name in runbooks()]
    assert not any("localhost" in one or 'job="llmq"' in one for one in every)
    assert any('job="quality"' in one for one in every)
