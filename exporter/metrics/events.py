"""The events that change metrics, each a method, so that label order is written once. Knows neither store nor HTTP."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..model.score import Evaluation, Failure, Outcome, Unscored
from ..model.trace import Trace
from ..redaction.budget import Reason
from . import families as f
from . import own
from .labels import Slice
from .ledger import MOST, Deltas
from .series import Exemplar, series_of
from .slices import Gathered, Slices, SliceSeries


class Tally(Deltas):
    """Metric increments of one batch of events; exposed once ``Metrics.apply`` is called with it.

    It is dated by its last verdict, not by its creation, because a quiet exporter's tally waits for hours. Increments
    that every trace makes are gathered by slice, and added to the series by ``settle``.
    """

    __slots__ = ("_current", "_durations", "_gathered", "_now", "_slices", "_unscored")

    def __init__(self, slices: Slices, current: Callable[[Slice], Slice], now: Callable[[], float]) -> None:
        super().__init__(now())
        self._slices = slices
        self._current = current
        self._now = now
        self._begin()

    def _begin(self) -> None:
        self._gathered: defaultdict[Slice, Gathered] = defaultdict(Gathered)
        self._durations: defaultdict[str, list[float]] = defaultdict(list)
        self._unscored: Counter[tuple[str, tuple[Unscored, ...]]] = Counter()

    def __bool__(self) -> bool:
        return bool(self._gathered) or super().__bool__()

    def settle(self) -> None:
        """Add the increments that were gathered by slice to their series."""
        for where, gathered in self._gathered.items():
            self._lay(self._slices.of(where), gathered)
        for evaluator, seconds in self._durations.items():
            self.observed[series_of(f.EVALUATION_DURATION, (evaluator,))].values += seconds
        for (app, some), count in self._unscored.items():
            for one in some:
                self.counters[series_of(f.UNSCORED, (one.evaluator, one.reason, app))] += count
        self._begin()

    def _lay(self, series: SliceSeries, gathered: Gathered) -> None:
        counters = self.counters
        if gathered.requests:
            counters[series.requests] += gathered.requests
            self.gauges.setdefault(series.first_seen, gathered.first_at)
        if gathered.durations:
            self.observed[series.duration].values += gathered.durations
        if gathered.first_tokens:
            self.observed[series.first_token].values += gathered.first_tokens
        if gathered.speeds:
            self.observed[series.speed].values += gathered.speeds
        for error, count in gathered.errors.items():
            counters[series_of(f.REQUEST_ERRORS, (error, *series.where))] += count
        for repeated, count in gathered.repeated.items():
            counters[series_of(f.REPEATED_CALLS, (repeated, *series.where))] += count
        told = (series.input, gathered.input), (series.output, gathered.output), (series.cost, gathered.cost)
        for counter, amount in told:
            if amount is not None:
                counters[counter] += amount
        for kind, verdicts in gathered.kinds.items():
            counter, scores, last = series.kinds.get(kind) or series.of(kind)
            counters[counter] += len(verdicts.scores)
            self.gauges[last] = max(verdicts.at, self.gauges.get(last, 0.0))
            observed = self.observed[scores]
            observed.values += verdicts.scores
            if verdicts.exemplars:
                self.exemplars[counter] = verdicts.exemplars[-1]
                observed.exemplars = sorted(observed.exemplars + verdicts.exemplars, key=lambda one: one.at)

    def received(
        self, signal: str, spans: int, logs: int, rejected: Mapping[str, int], anomalies: Mapping[str, int]
    ) -> None:
        """Count what one acknowledged request held, what of it was refused, and what was repaired."""
        self.inc(own.SPANS_RECEIVED, (), spans)
        self.inc(own.LOG_RECORDS_RECEIVED, (), logs)
        for reason, count in rejected.items():
            self.inc(own.REJECTED, (signal, reason), count)
        for reason, count in anomalies.items():
            self.inc(own.ANOMALIES, (reason,), count)

    def rejected(self, signal: str, reason: str, count: int = 1) -> None:
        """Count spans, log records or one whole request that were refused."""
        self.inc(own.REJECTED, (signal, reason), count)

    def duplicate(self, signal: str, kind: str, count: int = 1) -> None:
        """Count parts that were received before: ``kind`` is same or conflicting."""
        self.inc(own.DUPLICATES, (signal, kind), count)

    def late(self, signal: str, outcome: str, count: int = 1) -> None:
        """Count parts of a recorded trace: ``outcome`` is used or dropped."""
        self.inc(own.LATE, (signal, outcome), count)

    def traces_opened(self, count: int = 1) -> None:
        """Count traces of which a first part came."""
        self.inc(own.TRACES_RECEIVED, (), count)

    def traces_closed(self, reasons: Sequence[str]) -> None:
        """Count traces that were taken as complete, and why."""
        for reason in set(reasons):
            self.inc(own.TRACES_CLOSED, (reason,), reasons.count(reason))

    def trace_ignored(self, reason: str = "no_llm_request") -> None:
        """Count a trace in which there is nothing to score."""
        self.inc(own.TRACES_IGNORED, (reason,))

    def quarantined(self, stage: str, count: int = 1) -> None:
        """Count requests or traces that ended the process at a stage and were set aside."""
        self.inc(own.QUARANTINED, (stage,), count)

    def emitted(self, outcome: str, count: int) -> None:
        """Count evaluations told to another system: sent, dropped or rejected."""
        self.inc(own.EMITTED, (outcome,), count)

    def labels_overflowed(self, counts: Mapping[str, int]) -> None:
        """Count values folded into __other__, by label."""
        for label, count in counts.items():
            self.inc(own.LABEL_OVERFLOW, (label,), count)

    def redacted(self, counts: Mapping[str, int]) -> None:
        """Count what was replaced in text, by kind."""
        for kind, count in counts.items():
            self.inc(own.REDACTIONS, (kind,), count)

    def texts_withheld(self, counts: Mapping[Reason, int]) -> None:
        """Count texts that were withheld because their trace's budget for redaction was spent, by reason."""
        for reason, count in counts.items():
            self.inc(own.TEXTS_WITHHELD, (reason,), count)

    def trace_recorded(self, where: Slice, trace: Trace, outcome: Outcome, cost_dollars: float | None) -> None:
        """Count one recorded trace: its request, latency, tokens, cost, and all that the evaluators said."""
        gathered, self.at = self._gathered[where], self._now()
        if not gathered.requests:
            gathered.first_at = self.at
        gathered.requests += 1
        if (duration := trace.duration_seconds) is not None and 0.0 <= duration < MOST:
            gathered.durations.append(duration)
        if (tokens := trace.input_tokens) is not None and 0 <= tokens < MOST:
            gathered.input = tokens + (gathered.input or 0.0)
        if (tokens := trace.output_tokens) is not None and 0 <= tokens < MOST:
            gathered.output = tokens + (gathered.output or 0.0)
        if cost_dollars is not None and 0.0 <= cost_dollars < MOST:
            gathered.cost = cost_dollars + (gathered.cost or 0.0)
        if trace.content_state == "error":
            gathered.errors[trace.error_kind or "other"] += 1
        if trace.retries:
            gathered.repeated["retry"] += trace.retries
        if trace.fallbacks:
            gathered.repeated["fallback"] += trace.fallbacks
        if trace.generation_seconds is not None:
            _timed(gathered, trace, trace.generation_seconds)
        self._evaluated(gathered, trace.trace_id, outcome.evaluations)
        self._unevaluated(where.app, outcome)

    def evaluated(self, where: Slice, trace_id: str, evaluation: Evaluation) -> None:
        """Count one verdict that comes later than its trace, as a judge's does."""
        self.at = self._now()
        self._evaluated(self._gathered[self._current(where)], trace_id, (evaluation,))

    def judge_compared(self, judge: tuple[str, str], verdicts: tuple[str, str], source: str) -> None:
        """Count verdicts of (judge, human) on one case by a (evaluator, version); ``source`` is review or anchor."""
        self.inc(f.JUDGE_PAIRS, (*judge, *verdicts, source))

    def judge_mismatched(self, evaluator: str, kind: str) -> None:
        """Count a reply that is not from the pinned judge: ``kind`` is model or fingerprint."""
        self.inc(f.JUDGE_PIN_MISMATCHES, (evaluator, kind))

    def judge_called(self, evaluator: str, outcome: str) -> None:
        """Count how one call of the judge ended: judged, why it failed, or which limit of the budget forbade it."""
        self.inc(f.JUDGE_REQUESTS, (evaluator, outcome))

    def judge_took(self, evaluator: str, seconds: float) -> None:
        """Observe how long the judge took for a verdict."""
        self.observe(f.EVALUATION_DURATION, (evaluator,), seconds)

    def judge_spent(self, tokens: int, dollars: float) -> None:
        """Count what one call of the judge cost."""
        self.inc(f.JUDGE_TOKENS, (), tokens)
        self.inc(f.JUDGE_COST, (), dollars)

    def judge_repeated(self, evaluator: str, version: str, *, flipped: bool) -> None:
        """Count a case that was judged twice."""
        self.inc(f.JUDGE_REPEATS, (evaluator, version, "flipped" if flipped else "same"))

    def evaluation_failed(self, failure: Failure) -> None:
        """Count an evaluation that failed later than its trace was recorded."""
        self.inc(f.EVALUATION_FAILURES, (failure.evaluator, failure.reason))

    def left_unscored(self, unscored: Unscored, app: str) -> None:
        """Count an evaluation that will not be made after all."""
        self.inc(f.UNSCORED, (unscored.evaluator, unscored.reason, app))

    def feedback(self, where: Slice, signal: str, source: str, trace_id: str) -> None:
        """Count one user signal for the slice that answered; both ratings of a slice start together."""
        self.at, where = self._now(), self._current(where)
        counted = series_of(f.FEEDBACK, (signal, source, *where))
        self.counters[counted] += 1.0
        self.exemplars[counted] = Exemplar(trace_id, 1.0, self.at)
        if signal in f.RATINGS:
            for rating in f.RATINGS:
                self.counters[series_of(f.FEEDBACK, (rating, source, *where))] += 0.0
            self.counters[series_of(f.FEEDBACK_RETRACTED, (signal, source, *where))] += 0.0

    def feedback_retracted(self, where: Slice, signal: str, source: str) -> None:
        """Count a rating, counted before, that its user changed."""
        self.inc(f.FEEDBACK_RETRACTED, (signal, source, *self._current(where)))

    def edited(self, where: Slice, ratio: float, trace_id: str) -> None:
        """Count how much of an answer was edited."""
        self.observe(f.FEEDBACK_EDIT_RATIO, self._current(where)[:2], ratio, Exemplar(trace_id, ratio, self._now()))

    def feedback_received(self, outcome: str) -> None:
        """Count what became of one piece of feedback."""
        self.inc(f.FEEDBACK_RECEIVED, (outcome,))

    def conversation_ended(self, reason: str) -> None:
        """Count a conversation that ended: idle or evicted."""
        self.inc(f.CONVERSATIONS_ENDED, (reason,))

    def review_routed(self, reason: str, outcome: str) -> None:
        """Count what became of a trace that deserves a person."""
        self.inc(f.REVIEW_ROUTED, (reason, outcome))

    def review_claim(self, event: str) -> None:
        """Count a claim, or how one ended."""
        self.inc(f.REVIEW_CLAIMS, (event,))

    def review_labelled(self, evaluator: str, label: str, reason: str) -> None:
        """Count what a person said."""
        self.inc(f.REVIEW_LABELS, (evaluator, label, reason))
        self.inc(f.REVIEW_DISAGREEMENTS, (evaluator,), 0)

    def review_took(self, seconds: float) -> None:
        """Count the time from a claim to its label."""
        self.observe(f.REVIEW_SECONDS, (), seconds)

    def review_disagreed(self, evaluator: str) -> None:
        """Count an item on which people differ."""
        self.inc(f.REVIEW_DISAGREEMENTS, (evaluator,))

    def review_done(self, reason: str, ending: str) -> None:
        """Count an item that is done."""
        self.inc(f.REVIEW_DONE, (reason, ending))

    def offline_result(self, outcome: str) -> None:
        """Count an accepted offline result by what became of it."""
        self.inc(f.OFFLINE_RESULTS, (outcome,))

    def offline_failure(self, app: str, route: str, trace_id: str, *, covered: bool) -> None:
        """Count a failure in production by whether an offline suite has a question near to it."""
        exemplar = None if covered else Exemplar(trace_id, 1.0, self._now())
        self.inc(f.OFFLINE_FAILURES, ("covered" if covered else "uncovered", app, route), exemplar=exemplar)

    def _evaluated(self, gathered: Gathered, trace_id: str, evaluations: Iterable[Evaluation]) -> None:
        kinds, at = gathered.kinds, self.at
        for one in evaluations:
            verdicts = kinds[one.evaluator, one.evaluator_version, one.verdict, one.sample]
            verdicts.scores.append(one.score)
            verdicts.at = at
            if one.verdict == "fail":
                verdicts.exemplars.append(Exemplar(trace_id, one.score, at))

    def _unevaluated(self, app: str, outcome: Outcome) -> None:
        durations = self._durations
        for evaluator, seconds in outcome.durations:
            if 0.0 <= seconds < MOST:
                durations[evaluator].append(seconds)
        if outcome.unscored:
            self._unscored[app, outcome.unscored] += 1
        for failure in outcome.failures:
            self.counters[series_of(f.EVALUATION_FAILURES, (failure.evaluator, failure.reason))] += 1.0


def _timed(gathered: Gathered, trace: Trace, seconds: float) -> None:
    """Note the time to the first token, and the tokens a second after it."""
    first = trace.first_token_seconds
    if first is not None and 0 <= first < MOST:
        gathered.first_tokens.append(first)
    spoke = seconds - first if first is not None and 0 <= first < seconds else seconds
    if trace.generation_tokens and 0 < spoke < MOST:
        gathered.speeds.append(min(trace.generation_tokens / spoke, MOST))
