"""Do the intervals hold the truth as often as they say? Judges whose every error is known, drawn by seed, many times.

As `python benchmarks/judge_coverage.py [--runs 2000] [--asked 60]`. The first tables draw verdicts and measure them
with the exporter's own statistics; the last lets the real client ask a judge over HTTP on loopback that errs, prefers
long answers, replies nonsense and changes its model in secret, all at known rates. All shares are of runs.
"""

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent.parent))

from exporter.config.rubrics import shipped
from exporter.judge.agreement import Confusion, agreement, corrected
from exporter.judge.anchors import Anchor
from exporter.judge.bias import Labelled, length_lift
from exporter.judge.client import JudgeClient
from exporter.judge.drift import diagnose, score_drift
from exporter.judge.endpoint import Endpoint
from exporter.judge.evidence import HOUR
from exporter.judge.gate import GateLimits, ScoredAnchor
from exporter.judge.intervals import Estimate, shifted
from exporter.judging.history import known, next_of
from exporter.offline.calibrate import Calibration
from exporter.records.judge import AnchorVerdicts, LiveTraffic

MEASURES = ("agreement", "kappa", "sensitivity", "specificity", "corrected rate", "length preference")
RUBRIC = shipped()["helpfulness"]
MODEL = "judge-1"


class World(NamedTuple):
    """A judge with known errors, and the answers it meets; half of the answers are long."""

    name: str
    cases: int
    good: float
    sensitivity: float
    specificity: float
    favour: float = 0.0
    """By how much more of the long answers pass, of the good and of the bad ones, than of the short ones."""
    live: int = 1000
    live_good: float = 0.85

    def passes(self, good: bool, long: bool) -> float:
        """How often the judge passes such an answer."""
        share = self.sensitivity if good else 1 - self.specificity
        return share + (self.favour / 2 if long else -self.favour / 2)

    def truth(self) -> dict[str, float]:
        judged = self.good * self.sensitivity + (1 - self.good) * (1 - self.specificity)
        agreed = self.good * self.sensitivity + (1 - self.good) * self.specificity
        chance = self.good * judged + (1 - self.good) * (1 - judged)
        kappa = (agreed - chance) / (1 - chance)
        return dict(
            zip(MEASURES, (agreed, kappa, self.sensitivity, self.specificity, self.live_good, self.favour), strict=True)
        )

    def draw(self, random_: random.Random) -> Iterator[Labelled]:
        """The anchors of one run with the judge's verdicts."""
        for number in range(self.cases):
            good, long = random_.random() < self.good, number % 2 == 0
            passed = random_.random() < self.passes(good, long)
            length = random_.randint(600, 1200) if long else random_.randint(50, 500)
            yield Labelled(judge=verdict(passed), human=verdict(good), length=length)

    def judged_live(self, random_: random.Random) -> int:
        """How many of the live answers of one run pass."""
        rate = self.live_good * self.sensitivity + (1 - self.live_good) * (1 - self.specificity)
        return sum(random_.random() < rate for _ in range(self.live))


WORLDS = (
    World("good judge, 50 anchors", 50, 0.7, 0.9, 0.85),
    World("good judge, 100 anchors", 100, 0.7, 0.9, 0.85),
    World("good judge, 300 anchors", 300, 0.7, 0.9, 0.85),
    World("lenient, few bad anchors", 100, 0.9, 0.97, 0.6, live=2000, live_good=0.95),
    World("prefers long answers", 200, 0.6, 0.85, 0.75, favour=0.2),
    World("nearly perfect", 200, 0.8, 0.99, 0.98, live_good=0.97),
    World("weak", 200, 0.6, 0.7, 0.6, live_good=0.7),
    World("a coin", 200, 0.6, 0.5, 0.5),
)


def verdict(passed: bool) -> str:
    return "pass" if passed else "fail"


def measured(world: World, cases: list[Labelled], passed_live: int) -> dict:
    confusion = Confusion.of((one.judge, one.human) for one in cases)
    found = agreement(confusion)
    rest = (corrected(passed_live, world.live, confusion), length_lift(cases))
    return dict(zip(MEASURES, (found.agreement, found.kappa, found.sensitivity, found.specificity, *rest), strict=True))


class Coverage:
    """How often intervals held the truth, how wide they were, how often there was none."""

    def __init__(self, truth: dict[str, float]) -> None:
        self.truth, self.held, self.widths, self.none = truth, Counter(), {name: [] for name in MEASURES}, Counter()

    def add(self, found: dict) -> None:
        for name, one in found.items():
            if one is None:
                self.none[name] += 1
            else:
                self.held[name] += one.low - 1e-12 <= self.truth[name] <= one.high + 1e-12
                self.widths[name].append(one.high - one.low)

    def cells(self) -> Iterator[str]:
        for name in MEASURES:
            n = len(self.widths[name])
            if not n:
                yield "none"
                continue
            missing = f", none in {self.none[name] / (n + self.none[name]):.0%}" if self.none[name] else ""
            yield f"{self.held[name] / n:.1%} (±{fmean(self.widths[name]) / 2:.2f}{missing})"


def heading(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |")
    print(f"|{'---|' * len(cells)}")


def simulated(runs: int, seed: int) -> None:
    print(f"\nShare of {runs} runs in which the 95 % interval held the truth (half its mean width)\n")
    heading("judge", *MEASURES)
    for world in WORLDS:
        coverage = Coverage(world.truth())
        for run in range(runs):
            random_ = random.Random(f"{seed} {world.name} {run}")
            coverage.add(measured(world, list(world.draw(random_)), world.judged_live(random_)))
        print(f"| {world.name} | {' | '.join(coverage.cells())} |")


def drifts(runs: int, seed: int) -> None:
    """Who moved: the answer of `diagnose`, and whether the scores drifted, for known changes."""
    print(f"\nWhat is said of a change, in {runs} runs: 2000 live verdicts before and after, 200 anchors\n")
    causes = ("steady", "system", "judge", "both", "unclear")
    heading("what happened", *causes, "score drift seen")
    for name, share, leniency in (
        ("nothing", 0.85, 0.0),
        ("the system got worse by 10 points", 0.75, 0.0),
        ("the judge got stricter by 10 points", 0.85, 0.1),
        ("both", 0.75, 0.1),
    ):
        said: Counter[str] = Counter()
        for run in range(runs):
            said.update(drift(random.Random(f"{seed} {name} {run}"), share, leniency))
        print(f"| {name} | {' | '.join(f'{said[one] / runs:.1%}' for one in (*causes, 'drift'))} |")


def drift(random_: random.Random, share: float, stricter: float) -> Iterator[str]:
    """One run: the judge repeats itself on 98 % of the anchors, and fails ``stricter`` of those that it passed."""
    before = sum(random_.random() < 0.85 for _ in range(2000))
    now = sum(random_.random() < share - stricter for _ in range(2000))
    anchors = []
    for _ in range(200):
        old = random_.random() < 0.7
        new = (old and random_.random() >= stricter / 0.7) if random_.random() < 0.98 else random_.random() < 0.7
        anchors.append((verdict(old), verdict(new)))
    judge = shifted((new == "pass") - (old == "pass") for old, new in anchors)
    yield diagnose((before, 2000), (now, 2000), judge).cause
    scores = [[1.0] * passed + [0.25] * (2000 - passed) for passed in (before, now)]
    found = score_drift(*scores)
    if found and found.moved:
        yield "drift"


class Lap(NamedTuple):
    """Anchors asked again at a drip while the judge changes from one table of errors to another, under one name."""

    name: str
    anchors: int
    traffic: int
    """Verdicts on production in an hour."""
    before: tuple[float, float]
    """Sensitivity and specificity until the change."""
    after: tuple[float, float]
    good: float = 0.7
    live_good: float = 0.85
    repeats: float = 0.97
    """Share of anchors that an unchanged judge says the same of."""


LAPS = (
    Lap("steady", 300, 60, (0.9, 0.8), (0.9, 0.8)),
    Lap("specificity falls to 0.1", 300, 60, (0.9, 0.8), (0.9, 0.1)),
    Lap("specificity falls to 0.4, much traffic", 300, 400, (0.9, 0.8), (0.9, 0.4)),
    Lap("sensitivity falls to 0.8", 300, 60, (0.9, 0.8), (0.8, 0.8)),
    Lap("both fall, 100 anchors", 100, 60, (0.9, 0.8), (0.8, 0.7)),
    Lap("both fall, little traffic", 300, 3, (0.9, 0.8), (0.85, 0.6)),
)
PER_HOUR, CHANGED = 4, 200
LOOKS = (-10, 1, 3, 7, 15, 23, 40, 60, 99)
"""Hours after the change in which the intervals are held against the truth of the window that they are of."""
LAP_MEASURES = ("sensitivity", "specificity", "corrected rate", "judge's shift")


class LapRun:
    """One run of a lap, hour by hour."""

    def __init__(self, lap: Lap, random_: random.Random) -> None:
        self.lap, self.random = lap, random_
        self.human = [random_.random() < lap.good for _ in range(lap.anchors)]
        self.old = [self.says(good, lap.before) for good in self.human]
        self.new = [self.turned(good, old) for good, old in zip(self.human, self.old, strict=True)]
        first = [self.ask(number, 0) for number in range(lap.anchors)]
        self.said = {str(number): AnchorVerdicts(one, one, 0.0) for number, one in enumerate(first)}
        self.traffic = LiveTraffic()

    def says(self, good: bool, judge: tuple[float, float]) -> bool:
        return self.random.random() < (judge[0] if good else 1 - judge[1])

    def turned(self, good: bool, old: bool) -> bool:
        """What the changed judge says of an anchor: it turns as few verdicts as its new errors need."""
        was, now = ((one[0] if good else 1 - one[1]) for one in (self.lap.before, self.lap.after))
        if now >= was:
            return old or self.random.random() < (now - was) / (1 - was)
        return old and self.random.random() < now / was

    def ask(self, number: int, hour: int) -> ScoredAnchor:
        changed, good = hour >= CHANGED, self.human[number]
        said = (self.new if changed else self.old)[number]
        if self.random.random() > self.lap.repeats:
            said = self.says(good, self.lap.after if changed else self.lap.before)
        return ScoredAnchor(anchor=str(number), key=str(number), human=verdict(good), judge=verdict(said))

    def hour(self, hour: int) -> None:
        for number in range(PER_HOUR):
            at = (hour + (number + 0.5) / PER_HOUR) * HOUR
            key = next_of(self.said)
            self.said[key] = AnchorVerdicts(self.said[key].first, self.ask(int(key), hour), at)
        judge = self.lap.after if hour >= CHANGED else self.lap.before
        passed = sum(self.says(self.random.random() < self.lap.live_good, judge) for _ in range(self.lap.traffic))
        self.traffic.hours[hour] = passed, self.lap.traffic

    def look(self, hour: int) -> list[tuple[Estimate | None, float]]:
        """Each measure with its truth, which is that of the verdicts on production in the window."""
        now, lap = known(self.said, self.traffic, (hour + 1) * HOUR - 1), self.lap
        judged = now.window.judged
        share = sum(count for at, (_, count) in now.window.hours.items() if at >= CHANGED) / judged[1]
        sensitivity, specificity = (a + (b - a) * share for a, b in zip(lap.before, lap.after, strict=True))
        found = agreement(now.evidence.confusion)
        shift = lap.good * (sensitivity - lap.before[0]) - (1 - lap.good) * (specificity - lap.before[1])
        return [
            (found.sensitivity, sensitivity),
            (found.specificity, specificity),
            (corrected(*judged, now.evidence.confusion), lap.live_good),
            (now.evidence.shift, shift),
        ]


def laps(runs: int, seed: int) -> None:
    """Do the intervals hold the truth at every moment of a lap in which the judge changes?"""
    print(f"\nDuring laps, {PER_HOUR} anchors an hour, the judge changes at 0 h: share of {runs} runs\n")
    heading("judge", "hours after", *LAP_MEASURES)
    for lap in LAPS:
        held = {look: [Counter() for _ in LAP_MEASURES] for look in LOOKS}
        for run in range(runs):
            one = LapRun(lap, random.Random(f"{seed} {lap.name} {run}"))
            for hour in range(CHANGED - 80, CHANGED + max(LOOKS) + 1):
                one.hour(hour)
                for at, (found, truth) in enumerate(one.look(hour) if hour - CHANGED in held else ()):
                    is_held = found is not None and found.low - 1e-9 <= truth <= found.high + 1e-9
                    held[hour - CHANGED][at]["none" if found is None else is_held] += 1
        for look, counts in held.items():
            print(f"| {lap.name} | {look} | {' | '.join(map(_held, counts))} |")


def _held(counts: Counter) -> str:
    told = counts[True] + counts[False]
    missing = f" (not known in {counts['none'] / counts.total():.0%})" if counts["none"] else ""
    return f"{counts[True] / told:.1%}{missing}" if told else "not known"


class Judge:
    """A judge on loopback: replies what was drawn for each question, sometimes nonsense, later as another model."""

    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.model = MODEL

    async def __call__(self, request: web.Request) -> web.Response:
        user = (await request.json())["messages"][-1]["content"]
        text = self.replies[user.split("Question ")[1].split("?")[0]]
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return web.json_response({"model": self.model, "choices": [choice], "usage": usage})


async def asked(runs: int, seed: int) -> None:
    """The same through HTTP: client, prompt, reply, retries, pin."""
    world, malformed = World("asked", 100, 0.7, 0.9, 0.75, favour=0.2), 0.05
    coverage, judge = Coverage(world.truth()), Judge()
    exact = Counter()
    async with loopback(judge) as url, JudgeClient(Endpoint(url=url, model=MODEL)) as client:
        calibration = Calibration(client.judge, concurrency=8, attempts=2)
        for run in range(runs):
            random_ = random.Random(f"{seed} asked {run}")
            cases = list(world.draw(random_))
            nonsense = {number for number in range(len(cases)) if random_.random() < malformed}
            judge.model = MODEL if run < 0.9 * runs else "judge-2"
            judge.replies = {str(n): reply(one, n in nonsense) for n, one in enumerate(cases)}
            found = await calibration.run(RUBRIC, MODEL, list(anchors(cases)), GateLimits(), lambda _: None)
            if judge.model != MODEL:
                exact["runs of another model"] += 1
                exact["all of it refused"] += found.failures == {"pin_mismatch": len(cases)}
                continue
            exact["runs"] += 1
            exact["nonsense counted exactly"] += found.failures.get("unparseable", 0) == len(nonsense)
            kept = Confusion.of((one.judge, one.human) for n, one in enumerate(cases) if n not in nonsense)
            exact["table exactly as drawn"] += found.decision.agreement.confusion == kept
            measures = found.measures.agreement
            estimates = (measures.agreement, measures.kappa, measures.sensitivity, measures.specificity)
            rate = corrected(world.judged_live(random_), world.live, measures.confusion)
            coverage.add(dict(zip(MEASURES, (*estimates, rate, found.measures.length), strict=True)))
    print(f"\nThe same over HTTP: 100 anchors a run, {malformed:.0%} of the replies nonsense\n")
    heading("judge", *MEASURES)
    print(f"| prefers long answers, asked | {' | '.join(coverage.cells())} |\n")
    print(", ".join(f"{name}: {count}" for name, count in exact.items()))


def reply(one: Labelled, nonsense: bool) -> str:
    if nonsense:
        return "I would rather not put a number on it."
    score = RUBRIC.highest if one.judge == "pass" else RUBRIC.lowest
    return json.dumps({"explanation": "As drawn.", "score": score})


def anchors(cases: list[Labelled]) -> Iterator[Anchor]:
    for number, one in enumerate(cases):
        question, answer = f"Question {number}?", "x" * one.length
        yield Anchor(id=str(number), evaluator=RUBRIC.name, question=question, answer=answer, human=one.human)


class loopback:  # noqa: N801 - reads as the function that it is
    """Serves a judge on 127.0.0.1 while it is open; gives its address."""

    def __init__(self, judge: Callable) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", judge)
        self.runner = web.AppRunner(app)

    async def __aenter__(self) -> str:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self.runner.addresses[0][1]}/v1"

    async def __aexit__(self, *_: object) -> None:
        await self.runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="of each simulated judge (default: %(default)s)")
    parser.add_argument("--laps", type=int, default=400, help="runs of each lap (default: %(default)s)")
    parser.add_argument("--asked", type=int, default=60, help="runs over HTTP (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    simulated(options.runs, options.seed)
    drifts(options.runs, options.seed)
    laps(options.laps, options.seed)
    asyncio.run(asked(options.asked, options.seed))
