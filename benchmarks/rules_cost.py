"""What the shipped rules cost a Prometheus: CPU seconds a minute, series, memory.

A real Prometheus is given the history of 1,000 slices (app, route, model and prompt version) by remote write, with
every evaluator that comes with llmq and the two judged SLIs on each, and what the rules would have recorded of it for
their long windows; then it evaluates each group of alerts/*.rules.yaml alone, and its CPU time is read, which other
work on the machine does not change much. Needs the Debian package prometheus; takes a quarter of an hour.

    python benchmarks/rules_cost.py
    python benchmarks/rules_cost.py --slices 250 --rules alerts --rules ../before/alerts    # two sets of rules
"""

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from itertools import islice, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))

from exporter.evaluators import BUILT_IN
from exporter.rules.counts import METRICS, Steps
from exporter.rules.slo import DEFAULT_SLOS, CoverageSli, minutes

ALERTS = Path(__file__).parent.parent / "alerts"
EVALUATORS = {
    **{function.__name__.strip("_"): "all" for function in BUILT_IN},
    **dict.fromkeys(("helpfulness", "faithfulness"), "random"),
}
SAMPLE = np.dtype([("head", "S3"), ("value", "<f8"), ("tag", "S1"), ("time", "S6")])
HOUR = 3600
SERIES_A_REQUEST = 2_000
PATIENCE = 60
INTERVAL = 3
STEPS = Steps()
RECORDED = 'count(last_over_time({__name__=~".+:.+"}[1h]))'


def slices(count):
    """Labels of slices: an app has 20 routes, each with two models and five prompts."""
    names = (("app", 1 + count // 200), ("route", 20), ("model_version", 2), ("prompt_version", 5))
    values = [[(name, f"{name[:-8] or name}-{number}") for number in range(many)] for name, many in names]
    return [dict(chosen) for chosen in islice(product(*values), count)]


def series(count):
    """Labels of each counter that rules read, and its growth in a minute: two answers, one in fifty bad."""
    for where in slices(count):
        yield {"__name__": "llmq_requests_total", **where}, 2.0
        for signal in ("thumbs_up", "thumbs_down"):
            yield {"__name__": "llmq_feedback_total", "signal": signal, "source": "explicit", **where}, 0.04
        for (evaluator, sample), (verdict, growth) in product(EVALUATORS.items(), (("pass", 1.96), ("fail", 0.04))):
            what = {"evaluator": evaluator, "evaluator_version": "1", "verdict": verdict, "sample": sample}
            yield {"__name__": "llmq_evaluations_total", **what, **where}, growth


def recorded(count):
    """Labels of each count of a step that rules record and long windows are made of, and its growth in a minute."""
    step = f":increase{STEPS.length}"
    for where in slices(count):
        for slo in DEFAULT_SLOS:
            if not isinstance(slo.measure, CoverageSli):
                labels = {"sli": slo.name, "objective": f"{slo.objective.normalize():f}", **where}
                for metric, growth in zip(METRICS, (2.0, 0.04), strict=True):
                    yield {"__name__": f"slice:{metric}{step}", **labels}, growth
        for evaluator in EVALUATORS:
            labels = {"evaluator": evaluator, "evaluator_version": "1", **where}
            for metric, growth in (("evaluations", 2.0), ("failing_evaluations", 0.04)):
                yield {"__name__": f"slice:llmq_{metric}{step}", **labels}, growth
    versions = {tuple(sorted((name, where[name]) for name in where if name != "route")) for where in slices(count)}
    for (evaluator, version), verdict in product(product(EVALUATORS, sorted(versions)), ("pass", "fail")):
        labels = {"evaluator": evaluator, "evaluator_version": "1", "verdict": verdict, **dict(version)}
        yield {"__name__": f"version:llmq_verdicts{step}", **labels}, 20.0


def varint(number):
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def field(number, body):
    """A field of bytes in protobuf."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def encoded(labels):
    return b"".join(field(1, field(1, name.encode()) + field(2, labels[name].encode())) for name in sorted(labels))


def samples(times, growth, start):
    """A counter's samples in protobuf, all of one length: times in milliseconds have six bytes until the year 2109."""
    found = np.zeros(len(times), SAMPLE)
    found["head"], found["tag"] = b"\x12\x10\x09", b"\x10"
    found["value"] = np.floor((times - start) / 60 * growth)
    found["time"] = [varint(int(at * 1000)) for at in times]
    return found.tobytes()


def counts(times, growth, start):
    """The counts of steps that end at these times, in the same form."""
    found = np.frombuffer(bytearray(samples(times, growth, start)), SAMPLE)
    before = np.frombuffer(samples(np.maximum(times - 60 * minutes(STEPS.length), start), growth, start), SAMPLE)
    found["value"] -= before["value"]
    return found.tobytes()


def snappy(body):
    """A snappy block that holds the body as one literal, not compressed."""
    return varint(len(body)) + b"\xfc" + (len(body) - 1).to_bytes(4, "little") + body


class History(NamedTuple):
    """The series that are written, as protobuf with their growth a minute, and since when."""

    counters: list
    steps: list
    start: float


class Prometheus:
    """A real one, without targets, that is written to."""

    def __init__(self, folder):
        self.folder = folder
        self.address = f"http://127.0.0.1:{free_port()}"
        self.configure([])
        flags = [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=35d",
            f"--web.listen-address={self.address.removeprefix('http://')}",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
        ]
        with (folder / "prometheus.log").open("w") as log:
            self.process = subprocess.Popen(["prometheus", *flags], stderr=log)

    def __enter__(self):
        until = time.monotonic() + PATIENCE
        while not self.ready():
            if time.monotonic() > until or self.process.poll() is not None:
                self.__exit__()
                raise SystemExit((self.folder / "prometheus.log").read_text())
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ready(self):
        try:
            return self.post("/-/ready", None)
        except OSError:
            return False

    def configure(self, rule_files):
        config = {"global": {"evaluation_interval": f"{INTERVAL}s"}, "rule_files": rule_files}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))

    def evaluate(self, document):
        """Load these rules alone: CPU seconds of the second evaluation, as the first makes the series."""
        (self.folder / "measured.yaml").write_text(yaml.safe_dump(document))
        self.configure(["measured.yaml"])
        self.post("/-/reload", b"")
        first = self.evaluated({})
        before = self.cpu_seconds()
        self.evaluated(first)
        return self.cpu_seconds() - before

    def evaluated(self, known):
        """When each group was last evaluated, as soon as that is later than is known of any."""
        while True:
            found = {group["name"]: group["lastEvaluation"] for group in self.groups()}
            if not any(at.startswith("0001") or at == known.get(name) for name, at in found.items()):
                return found
            time.sleep(0.2)

    def post(self, path, body, **headers):
        request = urllib.request.Request(self.address + path, body, headers)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return answer.read()

    def write(self, encoded_series):
        body = snappy(b"".join(field(1, one) for one in encoded_series))
        self.post("/api/v1/write", body, **{"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"})

    def read(self, path, **query):
        return json.loads(self.post(f"/api/v1/{path}?{urllib.parse.urlencode(query)}", None))["data"]

    def number(self, query):
        found = self.read("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def groups(self):
        return self.read("rules")["groups"]

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self, kind):
        """Its memory: VmRSS is what is resident now, VmHWM the most that was."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{kind}:\s+(\d+) kB", status)[1]) / 1e3


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def write(prometheus, known, times, start, made=samples):
    """Every series at these times, some thousands of series a request."""
    by_growth = {growth: made(times, growth, start) for growth in {growth for _, growth in known}}
    for first in range(0, len(known), SERIES_A_REQUEST):
        some = known[first : first + SERIES_A_REQUEST]
        prometheus.write(labels + by_growth[growth] for labels, growth in some)


def backfill(prometheus, history, since, until, every):
    """What happened, an hour at a time; Prometheus takes no series that jumps back. Counters began with the history."""
    for hour in np.arange(since, until, HOUR):
        times = np.arange(hour, min(hour + HOUR, until), every)
        write(prometheus, history.counters, times, history.start)
        if since == history.start:  # later ones are recorded by the rules themselves
            write(prometheus, history.steps, times[times % seconds(STEPS.every) < every], history.start, counts)


def measure(prometheus, folder, catch_up):
    """Each group alone, in the order in which one reads what another records; returns CPU seconds a minute."""
    total = 0.0
    print(f"\n{folder!s:32}{'rules':>6}{'interval':>10}{'CPU s':>8}{'a minute':>10}")
    for name in sorted(folder.glob("*.rules.yaml"), key=order):
        rules, spent_a_minute, spent = 0, 0.0, 0.0
        for group in yaml.safe_load(name.read_text())["groups"]:
            interval = seconds(group.pop("interval", "1m"))
            catch_up()
            cost = prometheus.evaluate({"groups": [group]})
            rules, spent, spent_a_minute = (
                rules + len(group["rules"]),
                spent + cost,
                spent_a_minute + cost * 60 / interval,
            )
            for rule in (rule for each in prometheus.groups() for rule in each["rules"]):
                if rule["health"] != "ok":
                    raise SystemExit(f"{rule['name']}: {rule['health']} {rule.get('lastError', '')}")
        total += spent_a_minute
        print(f"{name.name:32}{rules:6}{interval:9}s{spent:8.2f}{spent_a_minute:10.2f}", flush=True)
    print(f"\nCPU seconds a minute    {total:10.1f}", flush=True)


def order(path):
    """The windows by length, then what compares them."""
    slo, _, window = path.name.removesuffix(".rules.yaml").partition("-")
    return (slo != "slo", window != "objectives", seconds(window) if window[-1:] in {"h", "d"} else 0)


def seconds(duration):
    return int(minutes(duration) * 60)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--days", type=float, default=3, help="of history; the longest window of burn alerts is 3d")
    parser.add_argument("--every", type=int, default=60, help="seconds between samples")
    parser.add_argument(
        "--rules", type=Path, action="append", help="a folder of rule files (default: the shipped ones)"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, Prometheus(Path(name)) as prometheus:
        began = time.monotonic()
        start = time.time() // given.every * given.every - given.days * 24 * HOUR
        made = ([(encoded(labels), growth) for labels, growth in of(given.slices)] for of in (series, recorded))
        history = History(*made, start)
        written = start

        def catch_up():
            nonlocal written
            until = time.time() // given.every * given.every
            backfill(prometheus, history, written, until, given.every)
            written = until

        print(f"{given.slices} slices, {given.days:g} days of a sample every {given.every} s", flush=True)
        catch_up()
        print(f"history written in {time.monotonic() - began:.0f} s", flush=True)
        before = prometheus.megabytes("VmRSS")
        for folder in given.rules or [ALERTS]:
            measure(prometheus, folder, catch_up)
        print(f"series fed              {len(history.counters):10,}")
        print(f"series recorded         {prometheus.number(RECORDED):10,.0f}")
        print(f"MB before any rule      {before:10,.0f}")
        print(f"MB at most              {prometheus.megabytes('VmHWM'):10,.0f}")


if __name__ == "__main__":
    main()
