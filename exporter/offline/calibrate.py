"""A judge over the anchor set, on demand: asks it about every anchor and decides. Knows neither store nor terminal.

What it spends is not taken from the budget: whoever asks is there to see it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from msgspec import Struct

from ..config.settings import JudgeSettings
from ..judge.anchors import Anchor, read
from ..judge.case import Case, JudgeError, Judgement, Usage
from ..judge.error_budget import FAILURES
from ..judge.gate import GateDecision, GateLimits, ScoredAnchor, decide
from ..judge.measures import Measures, measures, scored
from ..judge.rubric import Rubric
from ..judge.shown import name as shown_name

_LONGEST_PAUSE = 60.0
"""Seconds that an endpoint can make somebody wait who looks on."""

Ask = Callable[[Case, Rubric], Awaitable[Judgement]]


class Calibrated(Struct, frozen=True, kw_only=True):
    """What the anchors say of one rubric by one model: the decision, biases, failures by reason, tokens used.

    ``replied`` is the name under which the model replied. ``stopped`` says why no more was asked, and the cure, where
    the first few cases all ended without a verdict.
    """

    evaluator: str
    decision: GateDecision
    measures: Measures
    failures: dict[str, int]
    usage: Usage
    replied: str = ""
    stopped: str = ""


class NotSetUpError(ValueError):
    """The config does not say which judge, which rubrics or which anchors."""


async def calibrated(
    judge: JudgeSettings, path: Path | None, chosen: tuple[str, ...], done: Callable[[int], None]
) -> AsyncIterator[Calibrated]:
    """Ask the configured judge about the anchors of each rubric; ``chosen`` (none: all that have anchors) by name.

    Raises NotSetUpError or AnchorsError before anybody is asked.
    """
    from ..judge.client import JudgeClient  # noqa: PLC0415 - the other commands need no HTTP client, and start faster

    path, endpoint = path or judge.anchors.file, judge.endpoint
    if not endpoint.url or not endpoint.model or path is None:
        raise NotSetUpError("needs judge.endpoint, judge.model, and judge.anchors.file or --anchors")
    with path.open("rb") as lines:
        anchors = read(lines, str(path))
    by_name = {rubric.name: rubric for rubric in judge.rubrics}
    for name in (names := chosen or tuple(dict.fromkeys(anchor.evaluator for anchor in anchors))):
        if name not in by_name:
            raise NotSetUpError(f"no rubric of the config is named {name}; there are {', '.join(by_name) or 'none'}")
    async with JudgeClient(endpoint, headers=judge.sent_headers) as client:
        calibration = Calibration(client.judge, concurrency=judge.concurrency, attempts=judge.attempts)
        for name in names:
            mine = [anchor for anchor in anchors if anchor.evaluator == name]
            yield await calibration.run(by_name[name], endpoint.model, mine, judge.gate, done)


class Calibration:
    """Asks a judge about anchors, some at a time, and each again as often as ``attempts`` allow."""

    def __init__(self, ask: Ask, *, concurrency: int = 4, attempts: int = 5, first_wait: float = 1.0) -> None:
        self._ask, self._attempts, self._wait = ask, attempts, first_wait
        self._slots = asyncio.Semaphore(concurrency)
        self._without = 0
        self._replied, self._proven = "", False
        self._stopped = ""

    async def run(
        self, rubric: Rubric, model: str, anchors: Sequence[Anchor], limits: GateLimits, done: Callable[[int], None]
    ) -> Calibrated:
        """Judge every anchor of a rubric; ``done`` is told after each how many are."""
        asked = [anchor for anchor in anchors if rubric.applies_to(anchor.case())]
        failures: Counter[str] = Counter()
        used: list[Usage] = []

        async def one(anchor: Anchor) -> ScoredAnchor:
            async with self._slots:
                judgement = await self._judged(anchor.case(), rubric, failures, used)
            finished.append(anchor.id)
            done(len(finished))
            return scored(anchor, rubric.pass_mark, judgement)

        finished: list[str] = []
        said = await asyncio.gather(*map(one, asked))
        return Calibrated(
            evaluator=rubric.name,
            decision=decide(rubric.version(model), said, len(asked), limits),
            measures=measures(zip(asked, said, strict=True), model, limits.confidence),
            failures=dict(failures),
            usage=Usage(sum(one.input for one in used), sum(one.output for one in used)),
            replied=shown_name(self._replied),
            stopped=self._stopped,
        )

    async def _judged(self, case: Case, rubric: Rubric, failures: Counter[str], used: list[Usage]) -> Judgement | None:
        if self._stopped:
            failures["not asked"] += 1
            return None
        try:
            judgement = await insist(self._ask, case, rubric, used, attempts=self._attempts, first_wait=self._wait)
        except JudgeError as error:
            failures[error.reason] += 1
            self._count(error)
            return None
        self._proven, self._replied = True, judgement.model
        return judgement

    def _count(self, error: JudgeError) -> None:
        """One more case without a verdict: where the first few all are, the judge is not worth its money."""
        self._without += 1
        self._replied = error.replied or self._replied
        if self._without >= FAILURES and not self._proven:
            self._stopped = f"{error}: {error.cure}" if error.cure else str(error)


async def insist(
    ask: Ask, case: Case, rubric: Rubric, used: list[Usage], *, attempts: int, first_wait: float = 1.0
) -> Judgement:
    """Ask until there is a verdict, and note what each attempt ``used``; the last JudgeError where there is none."""
    for attempt in range(1, attempts + 1):
        try:
            judgement = await ask(case, rubric)
        except JudgeError as error:
            used.append(error.usage)
            if not error.retry or attempt == attempts:
                raise
            await asyncio.sleep(_pause(error, first_wait * 2 ** (attempt - 1)))
        else:
            used.append(judgement.usage)
            return judgement
    raise ValueError("attempts must be at least 1")


def _pause(error: JudgeError, wait: float) -> float:
    """Seconds until the next attempt: an endpoint in trouble needs time, a reply that nobody can read does not."""
    if error.reason == "unparseable":
        return 0.0
    return max(wait, min(error.after or 0.0, _LONGEST_PAUSE))
