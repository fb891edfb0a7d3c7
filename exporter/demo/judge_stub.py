"""A stub judge with configurable errors behind an OpenAI-compatible endpoint: for tests, benchmarks, the demo.

It grades by a mark in the answer ("truth:good" or "truth:bad") and errs as often as it is told to, so that whatever is
measured of it can be compared with the truth. What it does to a request follows from the seed, the request's text and
how often that text was asked before: the same run gives the same replies. Verdicts stay the same when a case is asked
again, but for ``flip_rate``.

    python -m exporter.demo.judge_stub --port 8089 --bills bills.jsonl sensitivity=0.9 error_rate=0.3 'errors=["drop"]'

prints its URL and serves until it is interrupted. A test runs it in its own event loop:

    async with Stub(Behaviour(error_rate=0.3)).running() as stub:
        ... stub.url, stub.bills, stub.requests; stub.behaviour = replace(stub.behaviour, replies_as="other-model")
"""

import argparse
import asyncio
import json
import random
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Struct

MALFORMED: Final = (
    "I would give this a 4.",
    '{"explanation": "cut off in the mid',
    '{"explanation": "off the scale", "score": 11}',
    '{"score": 1} {"score": 5}',
    '{"score": null}',
    "",
)
"""Replies that no honest reader can take for a score; one of them is drawn."""

_TRUTH: Final = re.compile(r"\btruth:(good|bad)\b")
_LENGTH: Final = re.compile(r"answer begins\]\n(.*?)\n\[\w+ answer ends\]", re.DOTALL)
_SCALE: Final = (1, 2, 3, 4, 5)


class Behaviour(Struct, frozen=True, kw_only=True):
    """How the judge behaves; rates are shares of requests.

    ``sensitivity`` is the share of good answers that it passes, ``specificity`` that of bad ones that it fails.
    ``length_bias`` is added to the chance of a pass for each doubling of the answer beyond 200 characters, and taken
    away below. ``errors`` are drawn at ``error_rate``: HTTP statuses, "drop" (the connection breaks before an answer)
    or "hang" (no answer comes while the client waits). ``latency`` is in seconds, the mean of an exponential
    distribution. ``rejects`` are parameters answered with 400. ``bills_errors``: what failed costs all the same.
    """

    model: str = "judge-1"
    replies_as: str = ""
    fingerprint: str = "fp_1"
    sensitivity: float = 1.0
    specificity: float = 1.0
    length_bias: float = 0.0
    flip_rate: float = 0.0
    latency: float = 0.0
    error_rate: float = 0.0
    errors: tuple[int | Literal["drop", "hang"], ...] = (500, 503, 429, "drop")
    retry_after: float | None = None
    malformed_rate: float = 0.0
    refuse_rate: float = 0.0
    rejects: tuple[str, ...] = ()
    bills_errors: bool = False
    key: str = ""
    seed: int = 0


class Bill(Struct, frozen=True, kw_only=True):
    """What one request was billed: the tokens of the prompt and of the reply."""

    model: str
    input: int
    output: int


class Stub:
    """The judge, as a web application and a record of what it was asked and billed: the last that it ``remembers``."""

    def __init__(
        self,
        behaviour: Behaviour = Behaviour(),  # noqa: B008 (frozen)
        *,
        truth: Callable[[str], bool | None] | None = None,
        bills: Path | None = None,
        remembers: int | None = None,
    ) -> None:
        self.behaviour = behaviour
        self.others: dict[str, Behaviour] = {}
        """How models behave that are asked for by their own names; ``behaviour`` is that of all others."""
        self.url = ""
        self.bills: list[Bill] = []
        self.requests: list[dict[str, Any]] = []
        self._truth = truth or marked
        self._file = bills
        self._remembers = remembers
        self._asked: Counter[str] = Counter()

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["Stub"]:
        """Serve on loopback; ``url`` says where."""
        runner = web.AppRunner(self.app(), shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            host, found = runner.addresses[0][:2]
            self.url = f"http://{host}:{found}/v1"
            yield self
        finally:
            await runner.cleanup()

    def app(self) -> web.Application:
        """The web application that judges."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/v1/chat/completions", self._complete)
        return app

    def billed(self) -> Bill:
        """The sum of all bills."""
        return Bill(
            model=self.behaviour.model,
            input=sum(bill.input for bill in self.bills),
            output=sum(bill.output for bill in self.bills),
        )

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        it = self._asked_for(asked)
        if it.key and request.headers.get("Authorization") != f"Bearer {it.key}":
            return _error(401, "Incorrect API key provided")
        self.requests.append(asked)
        self._forget()
        if parameter := next((name for name in it.rejects if _has(asked, name)), ""):
            return _error(400, f"Unsupported parameter: '{parameter}'", parameter)
        text = "\n".join(str(message["content"]) for message in asked["messages"])
        self._asked[text] += 1
        chance = random.Random(f"{it.seed} {self._asked[text]} {text}")  # noqa: S311 - to repeat, not to hide
        if it.latency:
            await asyncio.sleep(chance.expovariate(1 / it.latency))
        if chance.random() < it.error_rate:
            return await self._fail(request, chance.choice(it.errors), text, it)
        return web.json_response(self._completion(asked, text, chance))

    def _forget(self) -> None:
        if self._remembers is not None:
            del self.requests[: -self._remembers]
            del self.bills[: -self._remembers]

    def _asked_for(self, asked: dict[str, Any]) -> Behaviour:
        return self.others.get(asked.get("model", ""), self.behaviour)

    async def _fail(self, request: web.Request, how: int | str, text: str, it: Behaviour) -> web.StreamResponse:
        if it.bills_errors:
            self._bill(text, "", it)
        if how == "hang":
            await asyncio.Event().wait()
        if how == "drop" and request.transport is not None:
            request.transport.abort()
            raise web.HTTPServiceUnavailable
        after = it.retry_after
        return _error(int(how), "failing as told to", headers={} if after is None else {"Retry-After": f"{after:g}"})

    def _completion(self, asked: dict[str, Any], text: str, chance: random.Random) -> dict[str, Any]:
        it = self._asked_for(asked)
        drawn = chance.random()
        refusal = "I cannot judge this." if drawn < it.refuse_rate else None
        if it.refuse_rate <= drawn < it.refuse_rate + it.malformed_rate:
            content = chance.choice(MALFORMED)
        else:
            content = json.dumps({"explanation": "As told.", "score": self._score(asked, text, chance)})
        bill = self._bill(text, refusal or content, it)
        return {
            "id": f"chatcmpl-{len(self.bills)}",
            "object": "chat.completion",
            "model": it.replies_as or it.model,
            "system_fingerprint": it.fingerprint,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": None if refusal else content, "refusal": refusal},
                }
            ],
            "usage": {
                "prompt_tokens": bill.input,
                "completion_tokens": bill.output,
                "total_tokens": bill.input + bill.output,
            },
        }

    def _score(self, asked: dict[str, Any], text: str, chance: random.Random) -> int:
        """The lowest or the highest score of the scale that the request names, by the truth and the behaviour."""
        it = self._asked_for(asked)
        good = self._truth(asked["messages"][-1]["content"])
        passes = 0.5 if good is None else it.sensitivity if good else 1 - it.specificity
        if it.length_bias and (found := _LENGTH.search(text)):
            passes += it.length_bias * _doublings(len(found[1]))
        passed = random.Random(f"{it.seed} {text}").random() < passes  # noqa: S311
        if self._asked[text] > 1 and chance.random() < it.flip_rate:
            passed = not passed
        scale = _scale(asked)
        return max(scale) if passed else min(scale)

    def _bill(self, text: str, reply: str, it: Behaviour) -> Bill:
        bill = Bill(model=it.model, input=_tokens(text), output=_tokens(reply))
        self.bills.append(bill)
        if self._file is not None:
            with self._file.open("ab") as file:  # before the reply: whoever is told of a cost finds it here
                file.write(msgspec.json.encode(bill) + b"\n")
        return bill


def marked(text: str) -> bool | None:
    """The truth as the answer's mark says it: "truth:good" or "truth:bad"; None without one."""
    found = _TRUTH.findall(text)
    return found[-1] == "good" if found else None


def _has(asked: dict[str, Any], name: str) -> bool:
    """Whether a request has a parameter, or a response format of that name."""
    return name in asked or asked.get("response_format", {}).get("type") == name


def _scale(asked: dict[str, Any]) -> tuple[int, ...]:
    try:
        return tuple(asked["response_format"]["json_schema"]["schema"]["properties"]["score"]["enum"])
    except KeyError:
        return _SCALE


def _doublings(length: int) -> float:
    return max(length, 1).bit_length() - 8.0


def _tokens(text: str) -> int:
    return 1 + len(text) // 4


def _error(status: int, message: str, parameter: str = "", headers: dict[str, str] | None = None) -> web.Response:
    error = {"message": message, "type": "stub", "param": parameter or None, "code": None}
    return web.json_response({"error": error}, status=status, headers=headers)


def _arguments() -> argparse.Namespace:
    known = ", ".join(field.name for field in msgspec.structs.fields(Behaviour))
    parser = argparse.ArgumentParser(
        prog="python -m exporter.demo.judge_stub",
        description="A judge of known behaviour behind an OpenAI-compatible endpoint on loopback.",
    )
    parser.add_argument("--port", type=int, default=0, help="where to listen (default: a free port)")
    parser.add_argument("--bills", type=Path, metavar="FILE", help="append every bill to FILE, one JSON object a line")
    parser.add_argument("behaviour", nargs="*", metavar="NAME=VALUE", help=f"a JSON value for any of: {known}")
    return parser.parse_args()


def _value(text: str) -> Any:
    """A JSON value, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


async def _main() -> None:
    arguments = _arguments()
    given = {name: _value(text) for name, _, text in (one.partition("=") for one in arguments.behaviour)}
    behaviour = msgspec.convert(given, type=_Strict)
    async with Stub(behaviour, bills=arguments.bills).running(arguments.port) as stub:
        sys.stdout.write(f"{stub.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


class _Strict(Behaviour, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Behaviour as the command line gives it."""


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
