"""A real Chromium for tests of pages, driven by the DevTools protocol; and texts that try to run there."""

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
