"""False alerts and detection delay of the shipped burn-rate rules, against the SRE workbook's on the same traffic.

Answers come at random (Poisson), each is bad with the same probability, and every rule is evaluated as Prometheus does
it. Factors, caps, windows and guards are read from exporter/rules; tests/test_burn_rates.py holds the simulation to
what promtool says about the rule files. What the tables leave out: restarts, the noise of scraping, young slices.

    python benchmarks/burn_rates.py                       the tables of alerts/README.md (about ten minutes on one core)
    python benchmarks/burn_rates.py --min-bad-events 5    the same with another guard
    python benchmarks/burn_rates.py --table delays        one of the tables: pages, delays or conversations
"""

import argparse
import math
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from exporter.rules.burn import KEEP_FIRING
from exporter.rules.files import DEFAULT_SETTINGS, RuleSettings
from exporter.rules.slo import WINDOWS, Slo, VerdictsSli, Window, minutes

TRAFFIC = (5, 20, 100, 300, 1000)
OBJECTIVES = tuple(Decimal(percent) / 100 for percent in (80, 85, 90, 95, 97, 99))
HOUR = 60
DAY = 1440
WARM_UP = 3 * DAY
MONTH = 30 * DAY
AT_ONCE = 10
KEEP = minutes(KEEP_FIRING)
NEVER = np.iinfo(np.int32).max


def workbook(severity, long, short, factor):
    """A row of the SRE workbook's table: no cap, no evidence asked for, no ``for``."""
    return Window(severity=severity, long=long, short=short, factor=Decimal(factor), cap=Decimal(99), pending="")


WORKBOOK = (
    workbook("page", "1h", "5m", "14.4"),
    workbook("page", "6h", "30m", "6"),
    workbook("ticket", "1d", "2h", "3"),
    workbook("ticket", "3d", "6h", "1"),
)


THRESHOLD = Window(severity="page", long="1h", short="1h", factor=Decimal(2), cap=Decimal(99), pending="")
"""What platforms for LLM applications ship: the average of the last hour below a threshold, here two budgets of bad."""
THRESHOLD_EVERY = 5


@dataclass
class Stream:
    """Running totals of bad answers and of all answers: one row a run, one column a minute, the first before any."""

    bad: np.ndarray
    events: np.ndarray

    @classmethod
    def of(cls, bad, events):
        """From counts by minute."""
        return cls(*(np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1, dtype=np.int32) for counts in (bad, events)))

    def within(self, length, at, step=1):
        """Bad answers and all answers in the window of ``length`` minutes before each of the minutes ``at``.

        Where the window is a sum of steps, it ends with the last whole one.
        """
        ends = at // step * step
        since = np.maximum(ends - length, 0)
        return tuple(total[:, ends] - total[:, since] for total in (self.bad, self.events))

    @property
    def minutes(self):
        return self.events.shape[1]


@dataclass
class Rule:
    """One alert on one stream: the workbook's is the plain ratio, ours asks for evidence."""

    window: Window
    objective: Decimal
    guarded: bool
    least_bad: int
    settings: RuleSettings = DEFAULT_SETTINGS

    @property
    def step(self):
        """Minutes between evaluations."""
        if self.window is THRESHOLD:
            return THRESHOLD_EVERY
        slow = self.guarded and minutes(self.window.long) >= HOUR
        return int(minutes(self.settings.steps.every)) if slow else 1

    def above(self, events):
        """The least number of bad answers whose share of ``events`` is above the line, in whole numbers."""
        part, whole = self.window.line(self.objective).as_integer_ratio()
        return np.where(events > 0, events.astype(np.int64) * part // whole + 1, NEVER)

    def sure(self, events):
        """The same with the guards: the Wilson bound above the line, and enough bad answers.

        The bound of a share is above the line where the share is z standard deviations of the line above it.
        """
        line, z = float(self.window.line(self.objective)), float(self.settings.widened(self.settings.z))
        least = np.floor(events * line + z * np.sqrt(events * line * (1 - line))) + 1
        return np.maximum(least, self.least_bad)

    def holds(self, stream, at):
        """Is the alert's expression true?"""
        bad, events = self.within(stream, self.window.short, at)
        now = bad >= self.above(events)
        bad, events = self.within(stream, self.window.long, at)
        return now & (bad >= (self.sure(events) if self.guarded else self.above(events)))

    def within(self, stream, duration, at):
        steps = self.settings.steps
        step = int(minutes(steps.length)) if self.guarded and steps.make(duration) else 1
        return stream.within(int(minutes(duration)), at, step)

    def fires(self, stream):
        """Does the alert fire, by minute? After ``for``, and until its expression was false for ``keep_firing_for``.

        The workbook's rules say nothing of the latter; they get it all the same, so that both count alike.
        """
        at = np.arange(0, stream.minutes, self.step)
        holds = self.holds(stream, at)
        index = np.arange(len(at))
        pending = math.ceil(minutes(self.window.pending) / self.step) if self.window.pending else 0
        waited = holds & (index - latest(~holds, index) > pending)
        kept = index - latest(holds, index) <= math.ceil(KEEP / self.step)
        firing = kept & (latest(waited, index) > latest(~kept, index))
        return np.repeat(firing, self.step, axis=1)[:, : stream.minutes]


def latest(true, index):
    """For each column, the last column up to it that is true; long ago where none is."""
    return np.maximum.accumulate(np.where(true, index, -NEVER // 2), axis=1)


def shipped(severity, objective, least_bad, settings=DEFAULT_SETTINGS):
    return [Rule(window, objective, True, least_bad, settings) for window in WINDOWS if window.severity == severity]


def standard(severity, objective):
    return [Rule(window, objective, False, 1) for window in WORKBOOK if window.severity == severity]


def before(severity, objective, least_bad, settings=DEFAULT_SETTINGS):
    """The shipped rules without the windows below an hour, as they were before."""
    every = shipped(severity, objective, least_bad, settings)
    return [rule for rule in every if minutes(rule.window.long) >= HOUR]


def threshold(objective):
    return [Rule(THRESHOLD, objective, False, 1)]


def alerting(rules, stream):
    """Does any of the rules fire, by minute?"""
    return np.logical_or.reduce([rule.fires(stream) for rule in rules])


def steady(runs, length, hourly, truth, source):
    """Counts by minute of bad answers and of all answers."""
    bad = source.poisson(hourly / 60 * truth, (runs, length))
    return bad, bad + source.poisson(hourly / 60 * (1 - truth), (runs, length))


def conversations(runs, length, hourly, truth, source):
    """The same in conversations of five answers, one a minute; in half of them all five are bad or none is."""
    opened = hourly / 60 / 5 / 2
    bad, good, mixed = (in_turns(source.poisson(opened * share, (runs, length))) for share in (truth, 1 - truth, 1))
    return bad + source.binomial(mixed, truth), bad + good + mixed


def in_turns(opened):
    """Answers by minute of conversations that were opened in a minute."""
    total = np.cumsum(np.pad(opened, ((0, 0), (5, 0))), axis=1)
    return total[:, 5:] - total[:, :-5]


def false_alerts(months, answers, sets):
    """Times a month that each set of rules begins to fire on streams of ``answers(runs, minutes)``."""
    begun = np.zeros(len(sets))
    for _ in range(months // AT_ONCE):
        stream = Stream.of(*answers(AT_ONCE, WARM_UP + MONTH))
        for number, rules in enumerate(sets):
            firing = alerting(rules, stream)[:, WARM_UP:]
            begun[number] += np.count_nonzero(firing[:, 1:] & ~firing[:, :-1])
    return begun / months


def delays(incidents, hourly, budget, truth, sets, source):
    """Median minutes from the start of an incident to the first page; None where most do not page within a day."""
    before = steady(incidents, DAY, hourly, budget / 2, source)
    during = steady(incidents, DAY, hourly, truth, source)
    stream = Stream.of(*(np.concatenate(counts, axis=1) for counts in zip(before, during, strict=True)))
    found = []
    for rules in sets:
        firing = alerting(rules, stream)[:, DAY:]
        middle = np.median(np.where(firing.any(axis=1), firing.argmax(axis=1), np.inf))
        found.append(None if np.isinf(middle) else round(middle))
    return found


def table(head, rows):
    print("| " + " | ".join(head) + " |" + "".join(f" {hourly}/h |" for hourly in TRAFFIC))
    print("|---" * len(head) + "|" + "---|" * len(TRAFFIC))
    for first, cells in rows:
        print("| " + " | ".join(first) + " | " + " | ".join(cells) + " |", flush=True)
    print()


def table_of_false_alerts(months, least_bad, source):
    worst = 0.0
    print(f"False pages per slice per 30 days, {months} months a cell: {COLUMNS}; in brackets tickets.\n")

    def cell(objective, hourly):
        nonlocal worst
        sets = [*paging(objective, least_bad), standard("ticket", objective), shipped("ticket", objective, least_bad)]
        truth = float(1 - objective)
        found = false_alerts(months, lambda runs, length: steady(runs, length, hourly, truth, source), sets)
        worst = max(worst, found[2])
        theirs, old, ours, average, *tickets = map(rate, found)
        return f"{theirs}, {old}, **{ours}**, {average} ({' → '.join(tickets)})"

    table(["objective"], (([f"{one:.0%}"], [cell(one, hourly) for hourly in TRAFFIC]) for one in OBJECTIVES))
    print(f"Most false pages of llmq in any cell: {worst:.3f} per slice per 30 days.\n")


COLUMNS = "workbook, llmq without the window of 15m, **llmq**, a threshold of two budgets on the last hour"


def paging(objective, least_bad):
    """The sets of rules that page, in the order of the columns."""
    ours = (of("page", objective, least_bad) for of in (before, shipped))
    return [standard("page", objective), *ours, threshold(objective)]


def table_of_delays(incidents, least_bad, source):
    later = 0
    print(f"Median minutes to the first page, {incidents} incidents a cell: {COLUMNS}.\n")

    def cell(objective, truth, hourly):
        nonlocal later
        budget = float(1 - objective)
        found = delays(incidents, hourly, budget, truth, paging(objective, least_bad), source)
        theirs, old, ours, average = found
        slow = theirs is not None and (ours is None or ours > theirs)
        later += slow
        return f"{shown(theirs)}, {shown(old)}, **{shown(ours)}**, {shown(average)}" + " †" * slow

    rows = [(objective, name, truth) for objective in OBJECTIVES for name, truth in incidents_of(objective)]
    cells = (
        ([f"{objective:.0%}", f"{name} ({truth:.0%} bad)"], [cell(objective, truth, hourly) for hourly in TRAFFIC])
        for objective, name, truth in rows
    )
    table(["objective", "incident"], cells)
    print(f"† later than the workbook: {later} of {len(rows) * len(TRAFFIC)} cells.\n")


def table_of_conversations(months, least_bad, source):
    wide = RuleSettings(design_effect=Decimal(3))
    print(f"False pages where answers come in conversations of five, {months} months a cell: design_effect 1 → 3.\n")

    def cell(objective, hourly):
        sets = [shipped("page", objective, least_bad), shipped("page", objective, least_bad, wide)]
        truth = float(1 - objective)
        pages = false_alerts(months, lambda runs, length: conversations(runs, length, hourly, truth, source), sets)
        return f"{rate(pages[0])} → **{rate(pages[1])}**"

    table(["objective"], (([f"{one:.0%}"], [cell(one, hourly) for hourly in TRAFFIC]) for one in OBJECTIVES))


def incidents_of(objective):
    budget = float(1 - objective)
    named = [(f"{times} budgets", times * budget) for times in (4, 8, 16)] + [("everything", 1.0)]
    return [(name, truth) for name, truth in named if truth <= 1]


def rate(alerts):
    return f"{alerts:.2f}" if 0 < alerts < 1 else f"{alerts:.0f}"


def shown(delay):
    return "none" if delay is None else str(delay)


TABLES = {"pages": table_of_false_alerts, "delays": table_of_delays, "conversations": table_of_conversations}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--months", type=int, default=40, help="for each cell, in tens")
    parser.add_argument("--incidents", type=int, default=200, help="for each cell")
    guard = Slo(name="any", measure=VerdictsSli("any"), objective=OBJECTIVES[0]).min_bad_events
    parser.add_argument("--min-bad-events", type=int, default=guard)
    parser.add_argument("--table", choices=TABLES, action="append", help="only this one")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    source = np.random.default_rng(given.seed)
    sizes = {"pages": given.months, "delays": given.incidents, "conversations": given.months}
    for name in given.table or TABLES:
        TABLES[name](sizes[name], given.min_bad_events, source)


if __name__ == "__main__":
    main()
