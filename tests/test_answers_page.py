"""The pages of answers in a real Chromium: filtered, opened, read by keyboard; nothing that models wrote runs."""

import pytest
from chromium import HOSTILE, NARROW, WAYS_IN, WIDE

CONTEXT = ["Refunds are accepted within 30 days of purchase.", "Shipping is free within the European Union."]
GROUNDED = "Refunds are accepted within 30 days of purchase."
INVENTED = "Refunds are accepted within 30 days. The moon office in Zurich charges a fee of 99 dollars for each parcel."
REFUSAL = "I'm sorry, but I can't help with that."
ALL = {"store": {"content": "all"}}
REVIEWED = ALL | {"review": {"enabled": True, "reasons": {"control": {"enabled": False}, "failed": {"enabled": False}}}}


async def visit(page, exporter, path="answers"):
    await page.send("Page.navigate", url=str(exporter.client.make_url("/")) + path)
    await page.until("document.readyState === 'complete'")


async def listed(page, count):
    await page.until(f"document.querySelectorAll('#found li').length === {count}")
    await page.until("!searched.textContent.startsWith('Searching')")


async def opened(page, answer):
    await page.until(f"!answer.hidden && said.textContent.includes({answer!r})")


async def field(page, name, text):
    await page.js(f"document.getElementById({name!r}).focus()")
    await page.write(text)


async def test_answers_are_filtered_and_opened_by_keyboard_and_the_address_holds_the_filter(run_exporter, browser):
    exporter = await run_exporter(ALL)
    await exporter.ask(GROUNDED, REFUSAL, context=CONTEXT, route="/a", model="m")
    await exporter.ask(INVENTED, context=CONTEXT, route="/b")
    page = await browser.page()
    await visit(page, exporter)
    await listed(page, 3)
    await page.picture("answers-list")
    await page.press("/")
    await page.write("moon")
    await page.press("Enter")
    await listed(page, 1)
    assert await page.js("location.search") == "?text=moon"
    await page.press("Escape", "ArrowDown", "Enter")
    await opened(page, "moon office")
    await page.picture("answer")
    await page.press("Escape")
    await listed(page, 1)
    assert await page.js("location.search + document.getElementById('text').value") == "?text=moonmoon"
    await page.js("document.getElementById('clear').click()")
    await listed(page, 3)
    await field(page, "route", "/a")
    await page.js("document.getElementById('verdict').value = 'fail'")
    await page.press("Enter")
    await listed(page, 1)
    assert await page.js("location.search") == "?route=%2Fa&verdict=fail"
    await page.js("history.back()")
    await listed(page, 3)
    assert page.problems == []


async def test_a_failing_sentence_is_held_against_the_documents(run_exporter, browser):
    exporter = await run_exporter(ALL)
    await exporter.ask(INVENTED, context=[*CONTEXT, "Each parcel is weighed."])
    page = await browser.page()
    await visit(page, exporter)
    await listed(page, 1)
    await page.js("document.querySelector('#found a').click()")
    await opened(page, "moon office")
    assert await page.js("document.querySelector('#said mark').textContent") == INVENTED.partition(". ")[2]
    assert await page.js("document.querySelector('#said mark').title") != ""
    await page.press("m")
    await page.until("against.textContent")
    found = "[...document.querySelectorAll('.found-word')].map((one) => one.textContent).join(' ')"
    assert await page.js(found) == "Each parcel"
    absent = await page.js("[...document.querySelectorAll('.absent')].map((one) => one.textContent).join(' ')")
    assert absent == "moon office Zurich charges 99 dollars"
    assert "of 8 words" in await page.text("against")
    rows = await page.js("document.querySelector('#scores tr').innerText")
    assert rows.startswith(("grounding", "citation"))
    assert page.problems == []


async def test_pages_go_on_where_the_last_one_ended(run_exporter, browser):
    exporter = await run_exporter(ALL)
    await exporter.ask(*(f"Answer {number}" for number in range(60)))
    page = await browser.page()
    await visit(page, exporter)
    await listed(page, 50)
    await page.js("more.click()")
    await listed(page, 60)
    assert await page.js("more.hidden")
    assert (await page.text("searched")).startswith("60 answers, and no more")


async def test_an_answer_is_sent_to_review_and_its_trace_is_linked(run_exporter, browser):
    exporter = await run_exporter(REVIEWED | {"server": {"trace_url": "https://jaeger.example/trace/{trace_id}"}})
    await exporter.ask(INVENTED)
    page = await browser.page()
    await visit(page, exporter)
    await listed(page, 1)
    await page.js("document.querySelector('#found a').click()")
    await opened(page, "moon office")
    trace_id = await page.js("location.pathname.split('/')[2]")
    assert await page.js("trace.href") == f"https://jaeger.example/trace/{trace_id}"
    await page.press("r")
    await page.until("review.textContent.includes('waits in the review queue')")
    assert await page.js("send.hidden")
    assert page.problems == []


async def test_a_token_is_asked_for_once_and_kept_in_the_tab(run_exporter, browser, monkeypatch):
    monkeypatch.setenv("LLMQ_TEST_TOKEN", "t" * 24)
    token = {"name": "all", "roles": ["ingest", "read"], "env": "LLMQ_TEST_TOKEN"}
    exporter = await run_exporter(ALL | {"server": {"tokens": [token]}})
    page = await browser.page()
    await visit(page, exporter, "answers?verdict=fail")
    await page.until("!document.getElementById('sign-in').hidden")
    for tried in ("wrong", "t" * 24):
        await page.js("token.value = ''; token.focus()")
        await page.write(tried)
        await page.press("Enter")
        await page.until("!list.hidden || (message.textContent.includes('role read') && token.value === '')")
    await listed(page, 0)
    assert await page.js("location.search") == "?verdict=fail"
    assert await page.js("JSON.stringify([localStorage.length, document.cookie, sessionStorage.length])") == '[0,"",1]'


async def test_what_is_wrong_with_a_filter_is_said(run_exporter, browser):
    page = await browser.page()
    await visit(page, await run_exporter(), "answers?from=yesterday")
    await page.until("message.textContent.startsWith('from: give a time such as')")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_nothing_that_models_or_users_wrote_is_executed_or_breaks_the_layout(run_exporter, browser, size):
    exporter = await run_exporter(ALL)
    invented = " ".join(f"The moon office in Zurich charges a fee of {number}9 dollars." for number in range(40))
    answer = f"{invented}\n{HOSTILE}\n" + "A" * 500_000
    await exporter.ask(answer, question=HOSTILE, context=[HOSTILE, "B" * 300_000], app="<b>app</b>", route="/'\"><i>")
    trace_id = (await (await exporter.client.get("/api/answers")).json())["answers"][0]["trace_id"]
    said = {"trace_id": trace_id, "signal": "thumbs_down", "comment": HOSTILE[:5000]}
    assert (await exporter.post("/v1/feedback", json=said))[0] == 200
    await exporter.pass_time(3)
    page = await browser.page()
    await page.size(*size, dark=size == NARROW)
    await visit(page, exporter)
    await listed(page, 1)
    assert await page.fits()
    await page.picture(f"answers-hostile-{size[0]}")
    await page.js("document.querySelector('#found a').click()")
    await opened(page, "moon office")
    assert await page.fits()
    shown = await page.text("said")
    assert WAYS_IN[0] in shown
    assert "U+202E" in shown
    assert "\u202e" not in await page.js("document.body.textContent")
    await page.press("m")
    await page.until("against.textContent")
    tags = await page.js("[...new Set([...document.querySelectorAll('main *')].map((one) => one.tagName))].join(' ')")
    allowed = "A BUTTON DIV H2 KBD MARK P SECTION SPAN TABLE TBODY TD TR"
    assert set(tags.split()) <= set(allowed.split())
    await page.js("document.querySelector('#said button').click()")
    await page.until("said.textContent.length > 500000")
    assert await page.fits()
    await page.picture(f"answer-hostile-{size[0]}")
    assert await page.js("window.ran") is None
    assert page.problems == []


async def test_a_large_answer_with_many_documents_is_shown_in_parts(run_exporter, browser):
    exporter = await run_exporter(ALL)
    await exporter.ask(INVENTED, context=[f"Document {number}" for number in range(70)])
    page = await browser.page()
    await visit(page, exporter)
    await listed(page, 1)
    await page.js("document.querySelector('#found a').click()")
    await opened(page, "moon office")
    assert await page.js("document.querySelectorAll('.source').length") == 50
    await page.js("document.querySelector('#documents > button').click()")
    assert await page.js("document.querySelectorAll('.source').length") == 70
