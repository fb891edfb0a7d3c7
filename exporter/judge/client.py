"""One call to an OpenAI-compatible chat endpoint: a Judgement or a JudgeError. The judge's HTTP; it never tries again.

Nothing of a request or a reply is logged or put into an error.
"""

import asyncio
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from time import perf_counter, time
from typing import Final, NamedTuple, Self

import httpx

from .case import Case, JudgeError, Judgement, Usage
from .completion import Asked, Completion, Form, completion, refused
from .endpoint import Endpoint
from .prompt import most, prompt, reply_schema
from .reply import read
from .rubric import Rubric

_CONNECT: Final = 10.0
_LARGEST_REPLY: Final = 1 << 20
_LONGEST_WAIT: Final = 3600.0
_MOST_FORMS: Final = 6
_MAY_BE_BILLED: Final = frozenset({408, 499, 502, 504, 524})
"""Answers of a gateway that lost its upstream, which may have done the work."""
_OF_THE_CASE: Final = frozenset({400, 413, 422})
"""Answers that say that this request can never succeed."""


class _Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    body: bytes


class Client:
    """Calls to one endpoint; remembers which parameters the endpoint does not take. To be closed."""

    def __init__(
        self, endpoint: Endpoint, *, api_key: str = "", connections: int = 16, now: Callable[[], float] = time
    ) -> None:
        self.endpoint = endpoint
        self._now = now
        self._form = Form()
        self._url = _completions(endpoint.url)
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(endpoint.timeout, connect=min(endpoint.timeout, _CONNECT)),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def most(self, case: Case, rubric: Rubric) -> Usage:
        """At least as many tokens as one call for this case is billed: what to reserve before it."""
        return most(prompt(case, rubric), rubric, self.endpoint.max_tokens)

    async def judge(self, case: Case, rubric: Rubric) -> Judgement:
        """The verdict on a case by a rubric; JudgeError, where there is none, with what may have been billed."""
        messages = prompt(case, rubric)
        ceiling = most(messages, rubric, self.endpoint.max_tokens)
        asked = Asked(
            model=self.endpoint.model,
            messages=messages.messages,
            schema=reply_schema(rubric),
            max_tokens=self.endpoint.max_tokens,
            seed=self.endpoint.seed,
        )
        began = perf_counter()
        answer = await self._ask(asked, ceiling)
        reply = completion(answer.body)
        if reply is None:
            raise JudgeError("http_error", "the endpoint's reply is not JSON", usage=ceiling)
        return self._judgement(reply, rubric, reply.usage or ceiling, perf_counter() - began)

    def _judgement(self, reply: Completion, rubric: Rubric, usage: Usage, seconds: float) -> Judgement:
        wrong = self.endpoint.mismatch(reply.model, reply.fingerprint)
        if wrong and self.endpoint.pin.reject:
            message = f"the reply's {wrong} is not the pinned one"
            raise JudgeError("pin_mismatch", message, retry=False, usage=usage, mismatch=wrong)
        try:
            said = read(reply.text, rubric, finish_reason=reply.finish_reason, refusal=reply.refusal)
        except JudgeError as error:
            error.usage = usage
            raise
        return Judgement(
            verdict=rubric.verdict(said.score),
            score=rubric.share(said.score),
            explanation=said.explanation,
            model=reply.model,
            fingerprint=reply.fingerprint,
            usage=usage,
            seconds=seconds,
        )

    async def _ask(self, asked: Asked, ceiling: Usage) -> _Answer:
        """The endpoint's answer, asked again without the parameters that it turns down; JudgeError for any other."""
        form = self._form
        for _ in range(_MOST_FORMS):
            answer = await self._post(asked.body(form), ceiling)
            if 200 <= answer.status < 300:
                self._form = form  # only now: an error may have named a parameter for the text's sake
                return answer
            simpler = form.without(refused(answer.body).parameter) if answer.status in _OF_THE_CASE else None
            if simpler is None:
                break
            form = simpler
        raise self._error(answer, ceiling)

    async def _post(self, body: bytes, ceiling: Usage) -> _Answer:
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                return await self._exchange(body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            reason = type(error).__name__
            raise JudgeError("unreachable", f"no connection to the endpoint ({reason})") from None
        except (httpx.TimeoutException, TimeoutError):
            message = f"no answer within {self.endpoint.timeout:g} s"
            raise JudgeError("timeout", message, usage=ceiling) from None
        except httpx.HTTPError as error:
            message = f"the connection broke ({type(error).__name__})"
            raise JudgeError("unreachable", message, usage=ceiling) from None

    async def _exchange(self, body: bytes) -> _Answer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with self._http.stream("POST", self._url, content=body, headers=headers) as response:
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST_REPLY:
                    return _Answer(response.status_code, response.headers, b"")
            return _Answer(response.status_code, response.headers, bytes(content))

    def _error(self, answer: _Answer, ceiling: Usage) -> JudgeError:
        """What an answer that is no success means for the case: whether, when and at which cost to try again."""
        said = refused(answer.body)
        usage = ceiling if answer.status in _MAY_BE_BILLED else said.usage
        if answer.status == 429:
            message = "the endpoint takes no more calls for now"
            return JudgeError("rate_limited", message, after=self._after(answer.headers), usage=usage)
        if answer.status in _OF_THE_CASE and said.code == "content_filter":
            return JudgeError("refused", "the endpoint's content filter declined the case", retry=False, usage=usage)
        message = f"the endpoint answered {answer.status}"
        retry = answer.status not in _OF_THE_CASE
        return JudgeError("http_error", message, retry=retry, after=self._after(answer.headers), usage=usage)

    def _after(self, headers: httpx.Headers) -> float | None:
        """Seconds that Retry-After asks to wait, as a number or a date; None where it says neither."""
        text = headers.get("Retry-After", "").strip()
        try:
            seconds = float(text) if text[:1].isdecimal() and "," not in text else _date(text) - self._now()
        except (ValueError, TypeError, OverflowError):
            return None
        return min(max(seconds, 0.0), _LONGEST_WAIT)


def _date(text: str) -> float:
    return parsedate_to_datetime(text).timestamp()


def _completions(url: str) -> httpx.URL:
    """The address of chat completions below an endpoint's, or the address itself where it is that one."""
    base = httpx.URL(url)
    path = base.path.rstrip("/")
    return base.copy_with(path=path if path.endswith("/chat/completions") else f"{path}/chat/completions")
