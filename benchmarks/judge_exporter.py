"""Do the judge's metrics hold the truth, as a Prometheus would read them from a running exporter?

As `python benchmarks/judge_exporter.py [--runs 60] [--seed 1]`; about three seconds a run. Each run starts a whole
exporter on a new store, with a judge over HTTP whose every error is known, an anchor set, and live traffic; it reads
/metrics at the end. In every tenth run the endpoint changes its model in secret.
"""

import argparse
import asyncio
import json
import random
import tempfile
from collections import Counter
from pathlib import Path

import httpx
import yaml
from aiohttp import web
from judge_coverage import MEASURES, MODEL, RUBRIC, Coverage, Judge, World, anchors, heading, loopback, reply
from prometheus_client.parser import text_string_to_metric_families

from exporter.app.application import Exporter, make_app
from exporter.config import load
from exporter.judge.anchors import encoded
from exporter.judge.bias import Labelled
from exporter.judge.intervals import Estimate

WORLD = World("a judge that prefers long answers, in an exporter", 100, 0.7, 0.9, 0.75, favour=0.2, live=150)
GAUGES = {
    "agreement": ("llmq_judge_agreement_ratio", {"source": "anchor"}),
    "kappa": ("llmq_judge_kappa", {"source": "anchor"}),
    "sensitivity": ("llmq_judge_sensitivity_ratio", {"source": "anchor"}),
    "specificity": ("llmq_judge_specificity_ratio", {"source": "anchor"}),
    "corrected rate": ("llmq_judge_pass_ratio", {"rate": "corrected"}),
    "length preference": ("llmq_judge_length_preference_ratio", {}),
}
PATIENCE = 120


class Metrics:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self._samples = [one for family in text_string_to_metric_families(text) for one in family.samples]

    def total(self, name: str, **labels: str) -> float:
        return sum(one.value for one in self._samples if one.name == name and labels.items() <= one.labels.items())

    def estimate(self, measure: str) -> Estimate | None:
        name, labels = GAUGES[measure]
        found = {one.labels["estimate"]: one.value for one in self._samples if self._is(one, name, labels)}
        return Estimate(found["value"], found["low"], found["high"], 0) if found else None

    def _is(self, sample, name: str, labels: dict[str, str]) -> bool:
        return sample.name == name and labels.items() <= sample.labels.items()


def config(folder: Path, url: str, cases: list[Labelled]) -> Path:
    (folder / "anchors.jsonl").write_bytes(b"".join(encoded(anchors(cases))))
    judge = {
        "enabled": True,
        "endpoint": url,
        "model": MODEL,
        "attempts": 1,
        "concurrency": 8,
        "repeat": 0,
        "sampling": [{"rate": 1.0}],
        "rubrics": {"faithfulness": {"enabled": False}},
        "budget": {"day": {"tokens": 10**9}, "ledger": f"sqlite:///{folder / 'ledger.db'}"},
        "anchors": {"file": str(folder / "anchors.jsonl"), "per_hour": 1},
        "gate": {"min_cases": 1, "kappa": -1, "max_unanswered": 1},
    }
    path = folder / "llmq.yaml"
    path.write_text(yaml.safe_dump({"assembly": {"grace": "1ms"}, "judge": judge}))
    return path


def _waiting(exporter: Exporter) -> int:
    return len(exporter.judging.queue) or exporter.pipeline.assembler.waiting or exporter.pipeline.unrecorded


async def drained(exporter: Exporter) -> None:
    async with asyncio.timeout(PATIENCE):
        while _waiting(exporter):  # noqa: ASYNC110 - the product has no such event
            await asyncio.sleep(0.02)
    exporter.calibrating.show()
    await exporter.pipeline.flush()


async def scraped(folder: Path, url: str, cases: list[Labelled], live: int) -> Metrics:
    """What /metrics says after the anchors, then the live traffic, were judged."""
    exporter = Exporter(load(config(folder, url, cases), listen="127.0.0.1:0", store=f"sqlite:///{folder / 'llmq.db'}"))
    runner = web.AppRunner(make_app(exporter), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        exporter.calibrating.drip()
        await drained(exporter)
        asked = [
            {"id": f"live {n}", "app": "shop", "question": f"Question live {n}?", "answer": "x" * 100}
            for n in range(live)
        ]
        async with httpx.AsyncClient(timeout=60) as http:
            (await http.post(f"{address}/v1/interactions", json=asked)).raise_for_status()
            await asyncio.sleep(0.2)  # a trace is open for its grace
            await drained(exporter)
            return Metrics((await http.get(f"{address}/metrics")).text)
    finally:
        await runner.cleanup()


def live_replies(random_: random.Random) -> dict[str, str]:
    """What the judge says of live answers, with the errors that it has on anchors."""
    share = WORLD.live_good * WORLD.sensitivity + (1 - WORLD.live_good) * (1 - WORLD.specificity)
    scores = (RUBRIC.highest if random_.random() < share else RUBRIC.lowest for _ in range(WORLD.live))
    return {f"live {n}": json.dumps({"explanation": "As drawn.", "score": score}) for n, score in enumerate(scores)}


async def measure(runs: int, seed: int) -> None:
    coverage, judge, exact = Coverage(WORLD.truth()), Judge(), Counter()
    async with loopback(judge) as url:
        for run in range(runs):
            random_ = random.Random(f"{seed} exporter {run}")
            cases = list(WORLD.draw(random_))
            judge.model = "judge-2" if run % 10 == 9 else MODEL
            judge.replies = {str(n): reply(one, nonsense=False) for n, one in enumerate(cases)}
            judge.replies |= live_replies(random_)
            with tempfile.TemporaryDirectory() as folder:
                found = await scraped(Path(folder), url, cases, WORLD.live)
            if judge.model != MODEL:
                exact["runs of another model"] += 1
                mismatches = found.total("llmq_judge_pin_mismatches_total", kind="model")
                verdicts = found.total("llmq_evaluations_total", evaluator=RUBRIC.name)
                exact["every reply counted, none scored"] += mismatches == WORLD.cases + WORLD.live and not verdicts
                continue
            exact["runs"] += 1
            judged = found.total("llmq_evaluations_total", evaluator=RUBRIC.name, sample="random")
            exact["every live trace judged once"] += judged == WORLD.live
            coverage.add({name: found.estimate(name) for name in MEASURES})
    heading("read from /metrics", *MEASURES)
    print(f"| {WORLD.name} | {' | '.join(coverage.cells())} |\n")
    print(", ".join(f"{name}: {count}" for name, count in exact.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60, help="exporters that are started (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    asyncio.run(measure(options.runs, options.seed))
