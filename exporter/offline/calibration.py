"""Renders a judge's calibration as text for people. Prints nothing itself, and makes no calls."""

from collections import Counter
from collections.abc import Iterable, Iterator

from ..judge.agreement import Agreement
from ..judge.anchors import Anchor
from ..judge.bias import Preference
from ..judge.gate import GateDecision, ScoredAnchor
from ..judge.intervals import Estimate
from ..judge.recorded import CountedRows, RecordedJudge
from .calibrate import Calibrated
from .report import shortened, table


def recorded_lines(found: RecordedJudge) -> Iterator[str]:
    """The report on recorded verdicts."""
    yield f"{found.judge}: {found.rows} cases, {found.replies} replies, {found.unread} of them unreadable"
    if found.unread:
        yield "an unreadable reply is a failure, never a verdict: it is left out, unless a line says otherwise"
    yield ""
    yield from _confusion(found.as_read)
    yield ""
    yield from table([("measure", "value", "95 % interval", "n"), *_recorded_rows(found)], right=(1, 3))
    if found.worst:
        yield f"\nfirst cases on which no reply agrees with people: {', '.join(map(shortened, found.worst))}"


def calibrated_lines(found: Calibrated) -> Iterator[str]:
    """The report on a judge that was asked about the anchors: the decision, what it likes, what it cost."""
    yield from ([f"stopped: {found.stopped}"] if found.stopped else [])
    yield from decision_lines(found.decision)
    yield from ([f'the model replies as "{found.replied}"'] if found.replied else [])
    rows = [
        row("passes long answers beyond people, against short", found.measures.length),
        row("passes its own family beyond people, against others", found.measures.own_family),
    ]
    rows += _preference_rows(found.measures.pairs) if found.measures.pairs else []
    yield ""
    yield from table([("bias", "value", "95 % interval", "n"), *rows], right=(1, 3))
    for reason, count in found.failures.items():
        yield f"anchors without a verdict ({reason}): {count}"
    yield f"tokens: {found.usage.input:,} in, {found.usage.output:,} out"


def inventory(anchors: Iterable[Anchor]) -> list[tuple[str, ...]]:
    """How many anchors an evaluator has, by what people said."""
    counts: dict[str, Counter[str]] = {}
    for anchor in anchors:
        counts.setdefault(anchor.evaluator, Counter())[anchor.human or "score"] += 1
    said = ("pass", "fail", "score")
    return [("evaluator", *said), *((name, *(str(found[one]) for one in said)) for name, found in counts.items())]


def decision_lines(found: GateDecision) -> Iterator[str]:
    """The report on a judge version and the gate: open or shut, why, and on what that rests."""
    yield f"{found.version}: the gate is {'open' if found.open else 'shut'}"
    yield from (f"  {reason}" for reason in found.reasons)
    yield f"\n{found.anchors} anchors, {found.agreement.confusion.n} with a verdict, {found.unanswered} without"
    yield ""
    yield from agreement_lines(found.agreement)
    if found.against_acting:
        yield from table([row("agreement minus the acting version's", found.against_acting)])
    if found.worst:
        yield "\nworst disagreements"
        yield from table([_disagreement(one) for one in found.worst])


def agreement_lines(found: Agreement) -> Iterator[str]:
    """A confusion table and its four measures."""
    one = found.confusion
    yield from table(
        [
            ("", "people pass", "people fail"),
            ("judge passes", str(one.pass_pass), str(one.pass_fail)),
            ("judge fails", str(one.fail_pass), str(one.fail_fail)),
        ],
        right=(1, 2),
    )
    yield ""
    measures = ("agreement", "kappa", "sensitivity", "specificity")
    rows = [row(name, getattr(found, name)) for name in measures]
    yield from table([("measure", "value", "95 % interval", "n"), *rows], right=(1, 3))


def row(name: str, found: Estimate | None) -> tuple[str, str, str, str]:
    """One measure as cells: name, value, interval, n."""
    if found is None:
        return name, "-", "cannot be told", "0"
    return name, f"{found.value:.3f}", f"{found.low:.3f} to {found.high:.3f}", str(found.n)


def _confusion(found: CountedRows) -> Iterator[str]:
    rows = [
        (f"judge {label}", *(f"{count:g}" for count in counts))
        for label, counts in zip(found.labels, found.table, strict=True)
    ]
    yield from table([("", *(f"people {label}" for label in found.labels)), *rows], right=range(1, 9))


def _recorded_rows(found: RecordedJudge) -> Iterator[tuple[str, str, str, str]]:
    yield from _counted_rows(found.as_read, "")
    if found.unread_as_tie:
        yield from _counted_rows(found.unread_as_tie, ", unreadable as ties")
    if found.length:
        yield from _preference_rows(found.length)
    if found.longer_wins:
        yield row("people choose the longer answer (all that they decided)", found.longer_wins)
    yield from (row("kappa of two annotators", people) for people in found.people)


def _counted_rows(found: CountedRows, suffix: str) -> Iterator[tuple[str, str, str, str]]:
    yield row(f"agreement{suffix}", found.agreement)
    yield row(f"kappa{suffix}", found.kappa)
    for name in ("sensitivity", "specificity"):
        if measured := getattr(found, name):
            yield row(f"{name}{suffix}", measured)
    if found.flips:
        yield row(f"flips when the order is turned{suffix}", found.flips)


def _preference_rows(found: Preference) -> Iterator[tuple[str, str, str, str]]:
    yield row("the judge chooses the longer answer", found.judge)
    yield row("people choose the longer answer", found.human)
    yield row("length preference of the judge relative to people", found.relative)


def _disagreement(one: ScoredAnchor) -> tuple[str, ...]:
    score = "-" if one.score is None else f"{one.score:.2f}"
    return shortened(one.anchor, 40), f"judge {one.judge} ({score})", f"people {one.human}", shortened(one.explanation)
