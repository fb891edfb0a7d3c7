"""The status page: a stranger sees what comes in, what is captured and what cures a gap, what scores, what is wrong."""

import pytest

REFUSAL = "I'm sorry, but I can't help with that."


async def status(exporter):
    async with exporter.client.get("/api/status") as response:
        assert response.status == 200
        return await response.json()


async def send(exporter, *interactions):
    assert (await exporter.post("/v1/interactions", json=list(interactions)))[0] == 200
    await exporter.pass_time(3)


WHOLE = {
    "app": "shop",
    "route": "/ask",
    "model": "m-1",
    "prompt_version": "7",
    "question": "Refunds?",
    "answer": REFUSAL,
    "context": ["Within 30 days."],
    "tokens": {"input": 4, "output": 2},
    "conversation_id": "c",
}


async def test_each_application_is_shown_with_what_it_brings(run_exporter):
    exporter = await run_exporter()
    await send(exporter, WHOLE, WHOLE, {"app": "chat", "question": "Hello?", "answer": "Hi."})
    shop, chat = (await status(exporter))["sources"]
    assert (shop["app"], shop["answers"], shop["instrumentations"]) == ("shop", 2, ["otel"])
    assert {one["what"]: one["answers"] for one in shop["captured"]} == dict.fromkeys(
        ("text", "documents", "route", "prompt version", "model version", "tokens", "conversation"), 2
    )
    assert {one["what"] for one in chat["captured"] if one["answers"]} == {"text"}


async def test_what_is_missing_is_said_with_the_setting_that_cures_it(run_exporter):
    exporter = await run_exporter()
    span = {
        "traceId": "a" * 32,
        "spanId": "b" * 16,
        "name": "chat",
        "startTimeUnixNano": "1790000000000000000",
        "endTimeUnixNano": "1790000001000000000",
        "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}}],
    }
    await exporter.post("/v1/traces", json={"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    await exporter.pass_time(20)
    wrong = "\n".join((await status(exporter))["wrong"])
    assert "text is missing in 1 of 1 answers: set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT" in wrong
    assert "attributes.prompt_version" in wrong


async def test_what_scores_is_shown_by_evaluator_with_why_it_did_not(run_exporter):
    exporter = await run_exporter()
    await send(exporter, WHOLE, WHOLE | {"answer": "Within 30 days."})
    scored = {one["evaluator"]: one for one in (await status(exporter))["scored"]}
    assert (scored["refusal"]["passed"], scored["refusal"]["failed"]) == (1, 1)
    assert scored["json_schema"]["unscored"] == {"not_applicable": 2}


async def test_a_whole_answer_leaves_nothing_to_mend(run_exporter):
    exporter = await run_exporter()
    await send(exporter, WHOLE)
    assert (await status(exporter))["wrong"] == []


async def test_warnings_of_the_config_are_among_what_is_wrong(run_exporter):
    wrong = (await status(await run_exporter({"server": {"allow_unauthenticated": True}})))["wrong"]
    assert any("has no effect here: leave it out" in one for one in wrong)


async def test_before_anything_came_in_it_says_how_to_begin(run_exporter, browser):
    exporter = await run_exporter()
    assert (await status(exporter))["sources"] == []
    page = await browser.page()
    await page.send("Page.navigate", url=str(exporter.client.make_url("/")))
    await page.until("document.getElementById('start')?.hidden === false")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:" in await page.text("variables")
    await page.picture("status-empty")
    assert page.problems == []


@pytest.mark.parametrize("width", [380, 1280])
async def test_the_page_shows_it_and_runs_nothing_of_it(run_exporter, browser, width):
    exporter = await run_exporter()
    hostile = {"app": "<img src=x onerror=window.ran=1>", "question": "?", "answer": REFUSAL}
    await send(exporter, WHOLE, WHOLE, WHOLE, hostile)
    page = await browser.page()
    await page.size(width, 860, dark=width == 380)
    await page.send("Page.navigate", url=str(exporter.client.make_url("/")))
    await page.until("document.querySelectorAll('#sources tbody tr').length === 2")
    assert await page.js("document.querySelector('#sources a').getAttribute('href')") == "/answers?app=shop"
    assert "<img src=x" in await page.text("sources")
    assert await page.fits()
    await page.picture(f"status-{width}")
    assert await page.js("window.ran") is None
    assert page.problems == []


async def test_with_tokens_the_page_asks_for_one_and_the_api_refuses(run_exporter, browser, monkeypatch):
    monkeypatch.setenv("LLMQ_TEST_TOKEN", "t" * 24)
    token = {"name": "all", "roles": ["ingest", "read"], "env": "LLMQ_TEST_TOKEN"}
    exporter = await run_exporter({"server": {"tokens": [token]}})
    assert (await exporter.client.get("/api/status")).status == 401
    page = await browser.page()
    await page.send("Page.navigate", url=str(exporter.client.make_url("/")))
    await page.until("document.getElementById('sign-in')?.hidden === false")
    await page.js("token.focus()")
    await page.write("t" * 24)
    await page.press("Enter")
    await page.until("document.getElementById('start')?.hidden === false && !document.querySelector('main').hidden")
