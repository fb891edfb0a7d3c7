"""The review page in a real Chromium: labelled by keyboard, by several at once; nothing that models wrote runs."""

import asyncio
import base64
import os
import shutil
import subprocess
import time
from itertools import count
from pathlib import Path

import aiohttp
import pytest

QUESTIONS = ["How long do refunds take?", "Where is the nearest shop in Lyon?", "Do you ship furniture to Norway?"]
CONTEXT = ["Refunds are accepted within 30 days of purchase.", "Shipping is free within the European Union."]
ANSWER = "Refunds are accepted within 30 days. The moon office in Zurich charges a fee of 99 dollars for each parcel."
WAYS_IN = (
    "<script>window.ran='script'</script>",
    "<img src=x onerror=\"window.ran='img'\">",
    "<svg onload=\"window.ran='svg'\"></svg>",
    "<iframe srcdoc=\"<script>parent.ran='frame'</script>\"></iframe>",
    "<a href=\"javascript:window.ran='link'\">click</a>",
    "<details open ontoggle=\"window.ran='toggle'\">",
    "<style>@import 'http://evil.example/x.css'; * { display: none }</style>",
    "<base href='http://evil.example/'><form action='http://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "</textarea></div></body><script>window.ran='closed'</script>{{7*7}}${window.ran='template'}",
    "![x](http://evil.example/pixel.png) [x](javascript:window.ran='markdown')",
)
HOSTILE = "\n".join(WAYS_IN) + "\u202e txet lanimirc \u2066hidden\u2069 \u200b\u0000 \x1b[31m"
NARROW, WIDE = (380, 720), (1280, 860)


class Page:
    """One tab of a browser: what is done there, by the DevTools protocol, and what went wrong there."""

    def __init__(self, browser, session):
        self._browser, self._session = browser, session
        self.requests, self.problems = [], []

    async def send(self, method, **params):
        return await self._browser.send(method, params, self._session)

    def hear(self, method, params):
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        refused = method == "Log.entryAdded" and params["entry"]["source"] == "security"
        if refused or method in ("Page.javascriptDialogOpening", "Runtime.exceptionThrown"):
            self.problems.append((method, params))

    async def js(self, expression):
        found = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression, seconds=15):
        async with asyncio.timeout(seconds):
            while not await self.js(f"Boolean({expression})"):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.02)

    async def press(self, *keys):
        for key in keys:
            code = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}.get(key)
            text = {"Enter": "\r"}.get(key, key if code is None else "")
            fields = {"key": key, "text": text, "windowsVirtualKeyCode": code or ord(key.upper())}
            await self.send("Input.dispatchKeyEvent", type="keyDown", **fields)
            await self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def write(self, text):
        await self.send("Input.insertText", text=text)

    async def size(self, width, height, *, dark=False):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send("Emulation.setEmulatedMedia", features=scheme)

    async def picture(self, name):
        """A screenshot, kept where LLMQ_SCREENSHOTS says; an empty picture is a failure in any case."""
        data = base64.b64decode((await self.send("Page.captureScreenshot", format="png"))["data"])
        assert len(data) > 5_000
        if folder := os.environ.get("LLMQ_SCREENSHOTS"):
            (Path(folder) / f"{name}.png").write_bytes(data)

    async def sign_in(self, url, name, token=""):
        await self.send("Page.navigate", url=f"{url}review")
        await self.until("document.readyState === 'complete' && !document.getElementById('sign-in')?.hidden")
        await self.write(name)
        if token:
            await self.js("document.getElementById('token').focus()")
            await self.write(token)
        await self.press("Enter")

    async def shows(self, question):
        await self.until(f"document.getElementById('question').innerText.includes({question!r})")

    async def text(self, box):
        return await self.js(f"document.getElementById('{box}').textContent")

    async def fits(self):
        """Nothing sticks out to the side."""
        return await self.js("document.documentElement.scrollWidth <= window.innerWidth")


class Browser:
    """A headless Chromium and its DevTools socket."""

    def __init__(self, socket):
        self._socket, self._ids, self._waiting, self._pages, self._contexts = socket, count(1), {}, {}, []

    async def send(self, method, params=None, session=None):
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": params or {}}
        await self._socket.send_json(message | ({"sessionId": session} if session else {}))
        return await self._waiting[number]

    async def listen(self):
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                waiting = self._waiting.pop(said["id"])
                waiting.set_result(said["result"]) if "result" in said else waiting.set_exception(
                    AssertionError(said["error"])
                )
            elif page := self._pages.get(said.get("sessionId")):
                page.hear(said["method"], said["params"])

    async def page(self):
        context = (await self.send("Target.createBrowserContext"))["browserContextId"]
        self._contexts.append(context)
        target = await self.send("Target.createTarget", {"url": "about:blank", "browserContextId": context})
        session = await self.send("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        page = self._pages[session["sessionId"]] = Page(self, session["sessionId"])
        for domain in ("Page", "Network", "Runtime", "Log"):
            await page.send(f"{domain}.enable")
        await page.size(*WIDE)
        return page

    async def close(self):
        """Close every tab; the browser goes on."""
        for context in self._contexts:
            await self.send("Target.disposeBrowserContext", {"browserContextId": context})


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    """A headless Chromium; the address of its DevTools socket."""
    folder = tmp_path_factory.mktemp("chromium")
    command = shutil.which("chromium") or pytest.fail("install the Debian package chromium: make packages")
    flags = ["--headless=new", "--remote-debugging-port=0", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
    flags += ["--disable-dev-shm-usage", "--disable-background-networking", "--disable-extensions"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([command, *flags, f"--user-data-dir={folder / 'profile'}"], stdout=log, stderr=log)
    try:
        told, until = folder / "profile" / "DevToolsActivePort", time.monotonic() + 120
        while not (told.exists() and len(told.read_text().split()) == 2):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < until, "Chromium did not start"
            time.sleep(0.02)
        port, path = told.read_text().split()
        yield f"ws://127.0.0.1:{port}{path}"
    finally:
        process.terminate()
        try:
            process.wait(120)
        finally:
            process.kill()
            process.wait()


@pytest.fixture
async def browser(chromium):
    async with aiohttp.ClientSession() as session, session.ws_connect(chromium, max_msg_size=0) as socket:
        found = Browser(socket)
        listening = asyncio.create_task(found.listen())
        yield found
        await found.close()
        listening.cancel()


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


def url_of(exporter):
    return str(exporter.client.make_url("/"))


async def labels(exporter, **labels):
    await exporter.exporter.pipeline.flush()
    return await exporter.total("llmq_review_labels_total", **labels)


async def test_items_are_claimed_and_labelled_by_keyboard_alone(run_exporter, browser):
    exporter = await run_exporter(config(instructions="Read the documents first."))
    await ask(exporter, *QUESTIONS[:2])
    page = await browser.page()
    await page.sign_in(url_of(exporter), "ada")
    await page.until("document.querySelectorAll('.asked').length === 2")
    assert await page.js("document.querySelector('#answer mark').textContent") == ANSWER.partition(". ")[2]
    assert await page.text("instructions") == "Read the documents first."
    await page.picture("light")
    await page.press("p", "f", "n")
    await page.write("The fee is made up.")
    await page.press("Escape", "c")
    await page.write("Within 30 days.")
    await page.press("Escape", "Enter")
    await page.until("!document.getElementById('revealed').hidden")
    assert "ada" in await page.text("revealed")
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
        await page.sign_in(url_of(exporter), name)
        await page.shows(QUESTIONS[0])
    await pages[0].press("p", "Enter")
    await pages[0].until("!document.getElementById('revealed').hidden")
    assert "bob" not in await pages[0].text("revealed")
    assert "ada" not in await pages[1].js("document.body.innerText")
    await pages[1].press("f", "Enter")
    await pages[1].until("document.getElementById('revealed').innerText.includes('People differ')")
    assert "ada" in await pages[1].text("revealed")
    await pages[2].sign_in(url_of(exporter), "cyd")
    await pages[2].shows(QUESTIONS[0])
    await pages[2].press("f", "Enter")
    await pages[2].until("document.getElementById('revealed').innerText.includes('Done')")
    await exporter.exporter.pipeline.flush()
    assert await exporter.total("llmq_review_done_total", ending="majority") == 1
    assert await exporter.total("llmq_review_disagreements_total", evaluator="helpfulness") == 1


async def test_a_claim_that_ran_out_is_said_and_skipping_goes_on(run_exporter, browser):
    exporter = await run_exporter(config())
    await ask(exporter, *QUESTIONS[:2])
    ada, bob = await browser.page(), await browser.page()
    await ada.sign_in(url_of(exporter), "ada")
    await ada.until("document.querySelectorAll('.asked').length")
    question = await ada.text("question")
    exporter.clock.move(901)
    exporter.exporter.review.desk.tick()
    await bob.sign_in(url_of(exporter), "bob")
    await bob.until("document.querySelectorAll('.asked').length")
    if await bob.text("question") != question:
        await bob.press("s")
    await bob.shows(question)
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
    await page.sign_in(url_of(exporter), "ada", "wrong")
    await page.until("document.getElementById('message').textContent.includes('role review')")
    await page.sign_in(url_of(exporter), "", "t" * 24)
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
    await page.sign_in(url_of(exporter), "ada")
    await page.shows("<script>")
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
    await page.sign_in(url_of(exporter), "ada")
    await page.shows(QUESTIONS[0])
    assert await page.fits()
    back = await page.js("getComputedStyle(document.body).backgroundColor")
    assert (max(map(int, back[4:-1].split(","))) < 64) is dark
    await page.picture(f"{'dark' if dark else 'light'}-{size[0]}")
