"""One call to an OpenAI-compatible chat endpoint: a Judgement or a JudgeError. The judge's HTTP client; never retries.

Nothing of a request or a reply is logged. An error contains the endpoint's message, without quotes of the case.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter, time
from typing import Final, Literal, Self

import httpx
from msgspec import Struct

from .answer import Ending, HttpAnswer, error_of
from .case import Case, JudgeError, Judgement, Usage
from .completion import ChatRequest, Completion, RequestForm, completion
from .endpoint import Endpoint
from .error_body import told
from .prompt import most, prompt, reply_schema
from .reply import read
from .rubric import Rubric
from .shown import HiddenTexts, name

_CONNECT: Final = 10.0
_LARGEST_REPLY: Final = 1 << 20
_MOST_FORMS: Final = 6
_FORM_REFUSED: Final = frozenset({400, 413, 422})
"""Answers that may be for a parameter's sake."""


class Exchange(Struct, frozen=True, kw_only=True):
    """One request and its answer, without headers, which hold secrets."""

    url: str
    request: bytes
    status: int
    reply: bytes


class JudgeClient:
    """Calls to one endpoint; remembers which parameters the endpoint does not take. To be closed.

    ``headers`` are sent with each call; ``watch`` is called with every exchange.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        headers: Mapping[str, str] | None = None,
        connections: int = 16,
        now: Callable[[], float] = time,
        watch: Callable[[Exchange], None] = lambda _: None,
    ) -> None:
        self.endpoint = endpoint
        self._now, self._watch = now, watch
        self._form = RequestForm.of(endpoint)
        self._url = _completions(endpoint)
        self._secrets = HiddenTexts.of(headers or {})
        self._http = httpx.AsyncClient(
            headers=headers,
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
        asked = ChatRequest(
            model=self.endpoint.model,
            messages=messages.messages,
            schema=reply_schema(rubric),
            max_tokens=self.endpoint.max_tokens,
            seed=self.endpoint.seed,
            temperature=self.endpoint.temperature,
        )
        ending = Ending(ceiling=ceiling, now=self._now, case=case, secrets=self._secrets)
        began = perf_counter()
        answer = await self._ask(asked, ending)
        reply = completion(answer.body)
        if reply is None:
            raise error_of(answer, ending)
        return self._judgement(reply, rubric, reply.usage or ceiling, perf_counter() - began)

    def _judgement(self, reply: Completion, rubric: Rubric, usage: Usage, seconds: float) -> Judgement:
        wrong = self.endpoint.mismatch(reply.model, reply.fingerprint)
        if wrong and self.endpoint.pin.reject:
            raise self._mismatched(wrong, reply, usage)
        try:
            said = read(reply.text, rubric, finish_reason=reply.finish_reason, refusal=reply.refusal)
        except JudgeError as error:
            error.usage, error.replied = usage, reply.model
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

    def _mismatched(self, wrong: Literal["model", "fingerprint"], reply: Completion, usage: Usage) -> JudgeError:
        says = reply.model if wrong == "model" else reply.fingerprint
        pinned = " or ".join(f'"{name(one)}"' for one in self.endpoint.expected(wrong)[:3])
        message = f'the reply names the {wrong} "{name(says)}", and {pinned} is pinned'
        return JudgeError("pin_mismatch", message, retry=False, usage=usage, stop=wrong, replied=reply.model)

    async def _ask(self, asked: ChatRequest, ending: Ending) -> HttpAnswer:
        """The endpoint's answer, asked again without the parameters that it turns down; JudgeError for any other."""
        form = self._form
        for _ in range(_MOST_FORMS):
            answer = await self._post(asked.body(form), ending)
            if 200 <= answer.status < 300:
                self._form = form  # only now: an error may have named a parameter for the text's sake
                return answer
            simpler = form.without(told(answer.body).parameter) if answer.status in _FORM_REFUSED else None
            if simpler is None:
                break
            form = simpler
        raise error_of(answer, ending)

    async def _post(self, body: bytes, ending: Ending) -> HttpAnswer:
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                answer = await self._exchange(body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            reason = type(error).__name__
            raise JudgeError("unreachable", f"no connection to the endpoint ({reason})") from None
        except (httpx.TimeoutException, TimeoutError):
            message = f"no answer within {self.endpoint.timeout:g} s"
            raise JudgeError("timeout", message, usage=ending.ceiling, suspect=True) from None
        except httpx.HTTPError as error:
            message = f"the connection broke ({type(error).__name__})"
            raise JudgeError("unreachable", message, usage=ending.ceiling, suspect=True) from None
        self._watch(Exchange(url=str(self._url), request=body, status=answer.status, reply=answer.body))
        return answer

    async def _exchange(self, body: bytes) -> HttpAnswer:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with self._http.stream("POST", self._url, content=body, headers=headers) as response:
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > _LARGEST_REPLY:
                    return HttpAnswer(response.status_code, response.headers, b"")
            return HttpAnswer(response.status_code, response.headers, bytes(content))


def _completions(endpoint: Endpoint) -> httpx.URL:
    """The address of chat completions below an endpoint's, or the address itself where it is that one."""
    base = httpx.URL(endpoint.url)
    path = base.path.rstrip("/")
    address = base.copy_with(path=path if path.endswith("/chat/completions") else f"{path}/chat/completions")
    return address.copy_merge_params(dict(endpoint.query)) if endpoint.query else address
