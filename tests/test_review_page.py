"""The review page in a real Chromium: labelled by keyboard, by several at once; nothing that models wrote runs."""

import pytest
from chromium import HOSTILE, NARROW, WAYS_IN, WIDE

QUESTIONS = ["How long do refunds take?", "Where is the nearest shop in Lyon?", "Do you ship furniture to Norway?"]
CONTEXT = ["Refunds are accepted within 30 days of purchase.", "Shipping is free within the European Union."]
ANSWER = "Refunds are accepted within 30 days. The moon office in Zurich charges a fee of 99 dollars for each parcel."


def config(annotators=1, **review):
    reasons = {name: {"enabled": False} for name in ("complaint", "disagreement", "flipped", "unsure", "failed")}
    reasons["control"] = {"share": 0.9999, "annotators": annotators, "per_day": 100}
    return {"review": {"enabled": True, "wait": "1s", "reasons": reasons} | review, "store": {"content": "all"}}


async def ask(exporter, *questions, answer=ANSWER, context=CONTEXT):
    sent = [
        {"id": q, "app": "shop", "route": "/ask", "question": q, "context": context, "answer": answer}
        for q in questions
    ]
    assert (await exporter.post("/v1/interactions", json=sent))[0] == 200
    await exporter.pass_time(3)
    exporter.clock.move(2)


async def sign_in(page, url, name, token=""):
    await page.send("Page.navigate", url=f"{url}review")
    await page.until("document.readyState === 'complete' && !document.getElementById('sign-in')?.hidden")
    await page.write(name)
    if token:
        await page.js("document.getElementById('token').focus()")
        await page.write(token)
    await page.press("Enter")


async def shows(page, question):
    await page.until(f"document.getElementById('question').innerText.includes({question!r})")


def url_of(exporter):
    return str(exporter.client.make_url("/"))


async def labels(exporter, **labels):
    await exporter.exporter.pipeline.flush()
    return await exporter.total("llmq_review_labels_total", **labels)


async def test_items_are_claimed_and_labelled_by_keyboard_alone(run_exporter, browser):
    exporter = await run_exporter(config(instructions="Read the documents first."))
    await ask(exporter, *QUESTIONS[:2])
    page = await browser.page()
    await sign_in(page, url_of(exporter), "ada")
    await page.until("document.querySelectorAll('.asked').length === 2")
    assert await page.js("document.querySelector('#answer mark').textContent") == ANSWER.partition(". ")[2]
    assert await page.text("instructions") == "Read the documents first."
    await page.press("?")
    await page.until("document.getElementById('help').open")
    await page.press("p")
    assert await page.js("document.querySelectorAll('[aria-pressed=true]').length") == 0
    await page.press("Escape")
    await page.until("!document.getElementById('help').open")
    await page.picture("light")
    await page.press("p", "f", "n")
    await page.write("The fee is made up.")
    await page.press("Escape", "c")
    await page.write("Within 30 days.")
    await page.press("Escape", "Enter")
    await page.until("!document.getElementById('revealed').hidden")
    assert "ada" not in await page.text("revealed")
    others, mine = (await page.text("revealed")).split("What you said")
    assert "you" not in others
    assert "The fee is made up." in mine
    await page.picture("revealed")
    first = await page.text("question")
    await page.press("Enter")
    await page.until(f"document.getElementById('question').textContent !== {first!r}")
    await page.press("f", "Enter")
    await page.until("!document.getElementById('revealed').hidden")
    await page.press("Enter")
    await page.until("document.getElementById('message').textContent.startsWith('Nothing waits')")
    assert [await labels(exporter, evaluator="helpfulness", label=one) for one in ("pass", "fail")] == [1, 1]
    case = (await (await exporter.client.get("/api/review/reviewed")).text()).splitlines()[0]
    assert '"note":"The fee is made up."' in case
    assert '"corrected":"Within 30 days."' in case
    assert page.problems == []


async def test_two_reviewers_at_once_see_nothing_of_each_other_and_a_third_decides(run_exporter, browser):
    exporter = await run_exporter(config(annotators=2))
    await ask(exporter, QUESTIONS[0])
    pages = [await browser.page() for _ in range(3)]
    for page, name in zip(pages[:2], ("ada", "bob"), strict=True):
        await sign_in(page, url_of(exporter), name)
        await shows(page, QUESTIONS[0])
    await pages[0].press("p", "Enter")
    await pages[0].until("!document.getElementById('revealed').hidden")
    assert "bob" not in await pages[0].text("revealed")
    assert "ada" not in await pages[1].js("document.body.innerText")
    await pages[1].press("f", "Enter")
    await pages[1].until("document.getElementById('revealed').innerText.includes('People differ')")
    assert "ada" in await pages[1].text("revealed")
    await sign_in(pages[2], url_of(exporter), "cyd")
    await shows(pages[2], QUESTIONS[0])
    await pages[2].press("f", "Enter")
    await pages[2].until("document.getElementById('revealed').innerText.includes('Done')")
    await exporter.exporter.pipeline.flush()
    assert await exporter.total("llmq_review_done_total", ending="majority") == 1
    assert await exporter.total("llmq_review_disagreements_total", evaluator="helpfulness") == 1


async def test_a_claim_that_ran_out_is_said_and_skipping_goes_on(run_exporter, browser):
    exporter = await run_exporter(config())
    await ask(exporter, *QUESTIONS[:2])
    ada, bob = await browser.page(), await browser.page()
    await sign_in(ada, url_of(exporter), "ada")
    await ada.until("document.querySelectorAll('.asked').length")
    question = await ada.text("question")
    exporter.clock.move(901)
    exporter.exporter.review.desk.tick()
    await sign_in(bob, url_of(exporter), "bob")
    await bob.until("document.querySelectorAll('.asked').length")
    if await bob.text("question") != question:
        await bob.press("s")
    await shows(bob, question)
    await ada.press("p", "Enter")
    await ada.until("document.getElementById('message').textContent.includes('somebody else has it')")
    await ada.press("Enter")
    await ada.until(f"document.getElementById('question').textContent !== {question!r}")
    await bob.press("p", "Enter")
    await bob.until("!document.getElementById('revealed').hidden")
    assert await labels(exporter, label="pass") == 1


async def test_a_token_is_asked_for_once_and_kept_in_the_tab(run_exporter, browser, monkeypatch):
    monkeypatch.setenv("LLMQ_TEST_TOKEN", "t" * 24)
    token = {"name": "all", "roles": ["ingest", "review", "read"], "env": "LLMQ_TEST_TOKEN"}
    exporter = await run_exporter(config() | {"server": {"tokens": [token]}})
    page = await browser.page()
    await sign_in(page, url_of(exporter), "ada", "wrong")
    await page.until("document.getElementById('message').textContent.includes('role review')")
    await sign_in(page, url_of(exporter), "", "t" * 24)
    await page.until("document.getElementById('message').textContent.startsWith('Nothing waits')")
    assert await page.js("JSON.stringify([localStorage.length, document.cookie, sessionStorage.length])") == '[0,"",2]'


async def test_the_ways_in_do_run_where_a_page_lets_them(browser):
    page = await browser.page()
    await page.js(f"document.body.innerHTML = {WAYS_IN[1] + WAYS_IN[3]!r}")
    await page.until("window.ran")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_nothing_that_models_wrote_is_executed_or_breaks_the_layout(run_exporter, browser, size):
    exporter = await run_exporter(config())
    answer = HOSTILE + "\n" + "A" * 2_000_000
    await ask(exporter, HOSTILE, answer=answer, context=[HOSTILE, "B" * 300_000])
    page = await browser.page()
    await page.size(*size, dark=size == NARROW)
    await sign_in(page, url_of(exporter), "ada")
    await shows(page, "<script>")
    assert await page.fits()
    shown = await page.text("answer")
    assert WAYS_IN[0] in shown
    assert "U+202E" in shown
    assert "\u202e" not in shown
    tags = await page.js("[...new Set([...document.querySelectorAll('main *')].map((one) => one.tagName))].join(' ')")
    assert set(tags.split()) <= {"SECTION", "P", "DIV", "H2", "SPAN", "MARK", "BUTTON"}
    await page.picture(f"hostile-{size[0]}")
    await page.js("document.querySelector('#answer button').click()")
    await page.until("document.getElementById('answer').textContent.length > 2000000")
    assert await page.fits()
    await page.press("f", "Enter")
    await page.until("!document.getElementById('revealed').hidden")
    assert await page.fits()
    await page.press("Enter")
    await page.until("document.getElementById('message').textContent.startsWith('Nothing waits')")
    assert await page.js("window.ran") is None
    assert page.problems == []
    assert [one for one in page.requests if not one.startswith(url_of(exporter))] == []


@pytest.mark.parametrize(("size", "dark"), [(WIDE, True), (NARROW, False)])
async def test_the_page_fits_wide_and_narrow_light_and_dark(run_exporter, browser, size, dark):
    exporter = await run_exporter(config())
    await ask(exporter, QUESTIONS[0])
    page = await browser.page()
    await page.size(*size, dark=dark)
    await sign_in(page, url_of(exporter), "ada")
    await shows(page, QUESTIONS[0])
    assert await page.fits()
    back = await page.js("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, back[4:-1].split(","))) < 64) is dark
    await page.picture(f"{'dark' if dark else 'light'}-{size[0]}")
