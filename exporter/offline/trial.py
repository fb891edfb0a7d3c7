"""Runs the config's rubrics on traces now: first the expected cost, then the verdicts. Stores nothing."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from ..config.rubrics import shipped
from ..config.settings import JudgeSettings
from ..evaluators.registry import Listed
from ..judge.budget import Cost
from ..judge.case import Case, JudgeError, Usage
from ..judge.prompt import most, prompt
from ..judge.rubric import Rubric
from ..model.score import Evaluation, Failure, Outcome, Unscored, UnscoredReason
from ..model.trace import Trace
from .calibrate import Ask, NotSetUpError, insist

Said = Evaluation | Failure | Unscored


class Trial:
    """The enabled rubrics on some traces. NotSetUpError where the config names no endpoint, no model or no rubric."""

    def __init__(self, judge: JudgeSettings, traces: Sequence[Trace]) -> None:
        if not judge.endpoint.url or not judge.endpoint.model or not judge.rubrics:
            raise NotSetUpError("--judge needs a config with judge.endpoint, judge.model and a rubric")
        self._judge = judge
        self._cases = [(trace.trace_id, Case.of(trace)) for trace in traces]
        self._said: dict[str, list[Said]] = {}
        self._used: list[Usage] = []

    def announced(self) -> str:
        """What is about to be asked, and what it costs at most, if no call has to be made twice."""
        limit = self._judge.endpoint.max_tokens
        calls = [most(prompt(case, rubric), rubric, limit) for _, case, rubric in self._asked()]
        return f"asking {self._judge.endpoint.model} for {len(calls):,} verdicts: at most {_told(self._cost(calls))}"

    def accounted(self) -> str:
        """What it cost in the end."""
        return f"{self._judge.endpoint.model} was asked {len(self._used):,} times: {_told(self._cost(self._used))}"

    async def run(self, done: Callable[[int], None]) -> None:
        """Ask for every verdict, some at a time; ``done`` is told after each how many there are."""
        from ..judge.client import JudgeClient  # noqa: PLC0415 - the other commands need no HTTP client, and start faster

        slots, finished = asyncio.Semaphore(self._judge.concurrency), list[str]()
        judge = self._judge
        async with JudgeClient(judge.endpoint, headers=judge.sent_headers, connections=judge.concurrency) as client:

            async def one(trace_id: str, case: Case, rubric: Rubric) -> None:
                async with slots:
                    said = await self._verdict(client.judge, case, rubric)
                self._said.setdefault(trace_id, []).append(said)
                finished.append(trace_id)
                done(len(finished))

            await asyncio.gather(*(one(*asked) for asked in self._asked()))

    def added(self, trace: Trace, outcome: Outcome) -> Outcome:
        """What the evaluators said of a trace, and the judge after them."""
        said = sorted(self._said.get(trace.trace_id, ()), key=lambda one: one.evaluator)
        judged = {one.evaluator for one in said}
        reason: UnscoredReason = "not_captured" if trace.content_state == "not_captured" else "not_applicable"
        bare = [Unscored(evaluator=one.name, reason=reason) for one in self._judge.rubrics if one.name not in judged]
        return replace(
            outcome,
            evaluations=(*outcome.evaluations, *(one for one in said if isinstance(one, Evaluation))),
            failures=(*outcome.failures, *(one for one in said if isinstance(one, Failure))),
            unscored=(*outcome.unscored, *bare),
        )

    def _asked(self) -> Iterator[tuple[str, Case, Rubric]]:
        for trace_id, case in self._cases:
            for rubric in self._judge.rubrics if case else ():
                if case and rubric.applies_to(case):
                    yield trace_id, case, rubric

    async def _verdict(self, ask: Ask, case: Case, rubric: Rubric) -> Evaluation | Failure:
        version = rubric.version(self._judge.endpoint.model)
        try:
            said = await insist(ask, case, rubric, self._used, attempts=self._judge.attempts)
        except JudgeError as error:
            return Failure(evaluator=rubric.name, evaluator_version=version, reason=error.reason, detail=str(error))
        return Evaluation(
            evaluator=rubric.name,
            evaluator_version=version,
            verdict=said.verdict,
            score=said.score,
            explanation=said.explanation,
        )

    def _cost(self, used: Sequence[Usage]) -> Cost:
        costs = [self._judge.tariff.cost(one) for one in used]
        return Cost(sum(cost.tokens for cost in costs), sum(cost.micros for cost in costs))


def rubrics_listed(judge: JudgeSettings) -> Iterator[Listed]:
    """The rubrics of a config as ``llmq evaluators`` shows them; a version without its model where none is named."""
    known: Mapping[str, Rubric] = shipped()
    for rubric in judge.rubrics:
        yield Listed(
            name=rubric.name,
            version=rubric.version(judge.endpoint.model) if judge.endpoint.model else rubric.hash,
            kind="judge",
            source="built in" if known.get(rubric.name) == rubric else "config",
            options=(),
            summary=rubric.summary,
        )


def _told(cost: Cost) -> str:
    dollars = f", {cost.micros / 1_000_000:,.4f} dollars" if cost.micros else ""
    return f"{cost.tokens:,} tokens{dollars}"
