"""One test call to the configured judge: the request, the reply, the resulting verdict and the cost."""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from ..config.settings import JudgeSettings
from ..judge.budget import Cost
from ..judge.case import Case, JudgeError, Judgement, Usage
from ..judge.completion import billed, completion
from ..judge.rubric import Rubric
from ..judge.shown import name
from .calibrate import NotSetUpError

_CASE = Case(
    question="How long can I return what I bought?",
    answer="Within 30 days of the purchase.",
    context=("Refunds are accepted within 30 days of the purchase.",),
)


class Probed(Struct, frozen=True, kw_only=True):
    """How one call went. ``replied`` and ``fingerprint`` are what the reply says of itself, ``request`` and ``reply``
    those of the last exchange; ``left_out`` are the parameters that the endpoint refused before it took the request.

    ``header_names`` are the configured headers, whose values are secret.
    """

    evaluator: str
    model: str
    url: str
    header_names: tuple[str, ...]
    request: dict[str, Any]
    left_out: tuple[str, ...]
    status: int | None
    reply: str
    replied: str
    fingerprint: str
    judgement: Judgement | None
    problem: str
    cure: str
    usage: Usage
    cost: Cost

    @property
    def line(self) -> str:
        """All of it in one line."""
        said = f'replies as "{self.replied}"' if self.replied else "does not reply"
        if self.problem:
            return f"{self.model} {said}: {self.problem}{f'; {self.cure}' if self.cure else ''}"
        return f"{self.model} {said}, fingerprint {self.fingerprint or 'none'}: a verdict for {_told(self)}"


async def probed(judge: JudgeSettings, evaluator: str | None = None) -> Probed:
    """Ask the judge about an anchor, or else a case of ours, by one rubric (None: the first); raises NotSetUpError."""
    from ..judge.client import Exchange, JudgeClient  # noqa: PLC0415 - the other commands need no HTTP client

    rubric = _rubric(judge, evaluator)
    endpoint, seen = judge.endpoint, list[Exchange]()
    judgement, error = None, None
    async with JudgeClient(endpoint, headers=judge.sent_headers, watch=seen.append) as client:
        try:
            judgement = await client.judge(_case(judge, rubric), rubric)
        except JudgeError as failure:
            error = failure
    last = seen[-1] if seen else None
    said = completion(last.reply) if last else None
    usage = judgement.usage if judgement else (billed(last.reply) if last else None) or Usage()
    first, sent = (_json(seen[0].request), _json(seen[-1].request)) if seen else ({}, {})
    return Probed(
        evaluator=rubric.name,
        model=endpoint.model,
        url=last.url if last else endpoint.url,
        header_names=tuple(judge.sent_headers),
        request=sent,
        left_out=tuple(field for field in first if first[field] != sent.get(field)),
        status=last.status if last else None,
        reply=last.reply.decode(errors="replace") if last else "",
        replied=name(said.model) if said else "",
        fingerprint=name(said.fingerprint) if said else "",
        judgement=judgement,
        problem=str(error) if error else "",
        cure=error.cure if error else "",
        usage=usage,
        cost=judge.tariff.cost(usage),
    )


def probe_lines(found: Probed) -> Iterator[str]:
    """The report for people: request and reply in full, then what they say."""
    yield f"POST {found.url}"
    yield from (f"{header}: (secret)" for header in found.header_names)
    yield json.dumps(found.request, indent=2, ensure_ascii=False)
    yield ""
    yield f"answer: {found.status}" if found.status is not None else "no answer"
    yield from ([found.reply] if found.reply else [])
    yield ""
    if found.left_out:
        yield f"refused by the endpoint and left out: {', '.join(found.left_out)} (say so under judge.request)"
    yield f"model: {found.replied or '-'} (asked for: {found.model})"
    yield f"fingerprint: {found.fingerprint or '-'}"
    yield f"tokens: {_told(found)}"
    if found.judgement:
        one = found.judgement
        yield f"verdict by {found.evaluator}: {one.verdict} ({one.score:.2f}): {one.explanation}"
    else:
        yield f"no verdict: {found.problem}"
        yield from ([f"cure: {found.cure}"] if found.cure else [])


def _told(found: Probed) -> str:
    dollars = f", {found.cost.micros / 1_000_000:.6f} dollars" if found.cost.micros else ""
    return f"{found.usage.input:,} in, {found.usage.output:,} out{dollars}"


def _rubric(judge: JudgeSettings, evaluator: str | None) -> Rubric:
    if not judge.endpoint.url or not judge.endpoint.model or not judge.rubrics:
        raise NotSetUpError("needs a config with judge.endpoint, judge.model and a rubric")
    found = next((one for one in judge.rubrics if evaluator in (None, one.name)), None)
    if found is None:
        known = ", ".join(one.name for one in judge.rubrics)
        raise NotSetUpError(f"no rubric of the config is named {evaluator}; there are {known}")
    return found


def _case(judge: JudgeSettings, rubric: Rubric) -> Case:
    mine = (one.case() for one in judge.anchors.cases if one.evaluator == rubric.name)
    return next((case for case in mine if rubric.applies_to(case)), _CASE)


def _json(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body)
    return found
