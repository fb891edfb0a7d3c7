"""False pages and detection delay of the shipped burn-rate rules, against the SRE workbook's on the same traffic.

Plain simulation of the rules' arithmetic, one evaluation a minute: answers come at random (Poisson), each is bad with
the same probability. The rule files themselves are tested by promtool; this says what their numbers are worth.

    python benchmarks/burn_rates.py            the tables in alerts/README.md (some minutes on one core)
    python benchmarks/burn_rates.py --quick    fewer months and incidents
"""

import argparse
import random
import sys
from bisect import bisect
from decimal import Decimal
from itertools import accumulate
from math import exp
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from exporter.rules.slo import DEFAULT_SLOS, WINDOWS, Window, minutes, wilson_low

TRAFFIC = (5, 20, 100, 300, 1000)
OBJECTIVES = tuple(Decimal(percent) / 100 for percent in (80, 85, 90, 95, 97, 99))
Z = 2.58
LEAST_BAD = DEFAULT_SLOS[0].min_bad_events
DAY = 1440
WARM_UP = 3 * DAY
MERGED = 10
"""Minutes between two firings that count as one: the rules' keep_firing_for."""


def workbook(severity, long, short, factor):
    """A row of the SRE workbook's table: no cap, no evidence asked for, no ``for``."""
    return Window(severity=severity, long=long, short=short, factor=Decimal(factor), cap=Decimal(99), pending="1m")


WORKBOOK = (
    workbook("page", "1h", "5m", "14.4"),
    workbook("page", "6h", "30m", "6"),
    workbook("ticket", "1d", "2h", "3"),
    workbook("ticket", "3d", "6h", "1"),
)


class Rule:
    """One window pair on a stream of minutes: does it fire at a minute?"""

    def __init__(self, window, objective, guarded, design_effect=1):
        self.line = float(window.line(objective))
        self.long, self.short = minutes(window.long), minutes(window.short)
        self.pending = minutes(window.pending) if guarded else 0
        self.guarded = guarded
        self.z = Z * design_effect**0.5
        self.severity = window.severity
        self.since = None

    def holds(self, bad, events, at):
        """``bad`` and ``events`` are running totals by minute, ``at`` the minute of the evaluation."""
        start = max(at - self.short, 0)
        recent, recent_bad = events[at] - events[start], bad[at] - bad[start]
        if recent_bad <= self.line * recent:
            return False
        start = max(at - self.long, 0)
        n, b = events[at] - events[start], bad[at] - bad[start]
        if not self.guarded:
            return b > self.line * n
        return b >= LEAST_BAD and b > self.line * n and wilson_low(b, n, self.z) > self.line

    def fires(self, bad, events, at):
        """As ``holds``, for as long as the rule's ``for`` asks."""
        if not self.holds(bad, events, at):
            self.since = None
            return False
        if self.since is None:
            self.since = at
        return at - self.since >= self.pending


class Poisson:
    """Random counts of a given mean, by a table."""

    def __init__(self, mean, source):
        self.source = source
        probability, total, self.table = exp(-mean), 0.0, []
        for count in range(int(mean + 12 * mean**0.5 + 20)):
            total += probability
            self.table.append(total)
            probability *= mean / (count + 1)

    def draw(self):
        return bisect(self.table, self.source.random())


def stream(parts, source):
    """Running totals of bad answers and of all answers by minute; a part is (minutes, answers an hour, bad ratio)."""
    bad, good = [0], [0]
    for length, hourly, truth in parts:
        failing, passing = Poisson(hourly / 60 * truth, source), Poisson(hourly / 60 * (1 - truth), source)
        bad += [failing.draw() for _ in range(length)]
        good += [passing.draw() for _ in range(length)]
    bad = list(accumulate(bad))
    return bad, [b + g for b, g in zip(bad, accumulate(good), strict=True)]


def conversations(length, hourly, truth, source):
    """As ``stream``, in conversations of five answers, one a minute; in half of them all five are bad or none is."""
    opened = Poisson(hourly / 60 / 5, source)
    bad, events = [0] * (length + 5), [0] * (length + 5)
    for at in range(length):
        for _ in range(opened.draw()):
            shared = source.random() < truth if source.random() < 0.5 else None
            for turn in range(at, at + 5):
                events[turn] += 1
                bad[turn] += shared if shared is not None else source.random() < truth
    return list(accumulate(bad[:length])), list(accumulate(events[:length]))


def rules(objective):
    return {
        "workbook": [Rule(window, objective, guarded=False) for window in WORKBOOK],
        "llmq": [Rule(window, objective, guarded=True) for window in WINDOWS],
    }


def episodes(watching, bad, events, first):
    """Times at which a group of rules begins to fire; firings less than ``MERGED`` minutes apart are one."""
    count, last = 0, -MERGED - 1
    for at in range(first, len(bad)):
        if firing(watching, bad, events, at):
            count += at - last > MERGED
            last = at
    return count


def firing(watching, bad, events, at):
    """Does one of the rules fire? Each is asked, because each remembers since when it holds."""
    return True in [rule.fires(bad, events, at) for rule in watching]


def false_alerts(objective, hourly, months, source):
    """Pages and tickets per 30 days of each set of rules while the truth is exactly the budget."""
    found = {(name, severity): 0 for name in ("workbook", "llmq") for severity in ("page", "ticket")}
    for _ in range(months):
        bad, events = stream([(WARM_UP + 30 * DAY, hourly, float(1 - objective))], source)
        for name, every in rules(objective).items():
            for severity in ("page", "ticket"):
                watching = [rule for rule in every if rule.severity == severity]
                found[name, severity] += episodes(watching, bad, events, WARM_UP)
    return {key: count / months for key, count in found.items()}


def delays(objective, hourly, truth, incidents, source):
    """Median minutes to the first page of each set of rules; None where most incidents do not page within a day."""
    found = {"workbook": [], "llmq": []}
    for _ in range(incidents):
        parts = [(DAY, hourly, float(1 - objective) / 2), (DAY, hourly, truth)]
        bad, events = stream(parts, source)
        for name, every in rules(objective).items():
            watching = [rule for rule in every if rule.severity == "page"]
            found[name].append(first_page(watching, bad, events))
    return {name: settled(values) for name, values in found.items()}


def first_page(watching, bad, events):
    return next((at - DAY for at in range(DAY, len(bad)) if firing(watching, bad, events, at)), None)


def settled(values):
    middle = median(value if value is not None else float("inf") for value in values)
    return None if middle == float("inf") else round(middle)


def table_of_false_alerts(months, source):
    print(f"False alerts per slice per 30 days while the truth is exactly the budget ({months} months a cell).")
    print("Each cell: the workbook's pages → llmq's pages (the workbook's tickets → llmq's tickets).\n")
    print("| objective |" + "".join(f" {hourly}/h |" for hourly in TRAFFIC))
    print("|---|" + "---|" * len(TRAFFIC))
    worst = 0.0
    for objective in OBJECTIVES:
        cells = []
        for hourly in TRAFFIC:
            found = false_alerts(objective, hourly, months, source)
            worst = max(worst, found["llmq", "page"])
            pages = f"{found['workbook', 'page']:.1f} → **{found['llmq', 'page']:.1f}**"
            cells.append(f"{pages} ({found['workbook', 'ticket']:.1f} → {found['llmq', 'ticket']:.1f})")
        print(f"| {objective:.0%} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nMost false pages of llmq in any cell: {worst:.2f} per slice per 30 days.\n")


def table_of_delays(incidents, source):
    print(f"Median minutes to the first page ({incidents} incidents a cell; before, the truth is half the budget).")
    print("Each cell: the workbook's → llmq's; none where most incidents do not page within a day.\n")
    print("| objective | incident |" + "".join(f" {hourly}/h |" for hourly in TRAFFIC))
    print("|---|---|" + "---|" * len(TRAFFIC))
    for objective in OBJECTIVES:
        for name, truth in incidents_of(objective):
            cells = []
            for hourly in TRAFFIC:
                found = delays(objective, hourly, truth, incidents, source)
                cells.append(f"{shown(found['workbook'])} → **{shown(found['llmq'])}**")
            print(f"| {objective:.0%} | {name} ({truth:.0%} bad) | " + " | ".join(cells) + " |", flush=True)


def table_of_conversations(months, source):
    print(f"\nFalse pages per slice per 30 days where answers come in conversations of five ({months} months a cell).")
    print("Each cell: design_effect 1 (the default) → 3.\n")
    print("| objective |" + "".join(f" {hourly}/h |" for hourly in TRAFFIC))
    print("|---|" + "---|" * len(TRAFFIC))
    for objective in OBJECTIVES:
        cells = []
        for hourly in TRAFFIC:
            plain, wide = conversational_pages(objective, hourly, months, source)
            cells.append(f"{plain:.1f} → **{wide:.1f}**")
        print(f"| {objective:.0%} | " + " | ".join(cells) + " |", flush=True)


def conversational_pages(objective, hourly, months, source):
    found = {1: 0, 3: 0}
    for _ in range(months):
        bad, events = conversations(WARM_UP + 30 * DAY, hourly, float(1 - objective), source)
        for effect in found:
            watching = [Rule(window, objective, True, effect) for window in WINDOWS if window.severity == "page"]
            found[effect] += episodes(watching, bad, events, WARM_UP)
    return [count / months for count in found.values()]


def incidents_of(objective):
    budget = float(1 - objective)
    named = [("4 budgets", 4 * budget), ("8 budgets", 8 * budget), ("16 budgets", 16 * budget), ("everything", 1.0)]
    return [(name, truth) for name, truth in named if truth <= 1]


def shown(delay):
    return "none" if delay is None else str(delay)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2 months and 5 incidents a cell")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    source = random.Random(arguments.seed)
    table_of_false_alerts(2 if arguments.quick else 12, source)
    table_of_delays(5 if arguments.quick else 25, source)
    table_of_conversations(2 if arguments.quick else 12, source)


if __name__ == "__main__":
    main()
