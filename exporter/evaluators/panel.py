"""Runs the configured evaluators on one Trace; knows not what they look at, lets no failure of theirs out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from math import inf
from time import perf_counter
from typing import Any, get_args

from msgspec import Struct

from ..score import Evaluation, Failure, FailureReason, Outcome, Score, Skipped, SkipReason, Unscored
from ..trace import Trace
from .deadline import Deadline, OverdueError
from .options import OptionError, changed, digest
from .registry import Evaluator, Registry
from .schema import BudgetError

DEFAULT_TIMEOUT = 1.0
"""Seconds that an evaluator may take on one trace."""

_PLANS = 4096
_NAME = 1024


class Rule(Struct, frozen=True, kw_only=True):
    """Where an evaluator applies, as globs over app and route, and with which options."""

    apps: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)
    options: dict[str, Any] = {}


class EvaluatorSpec(Struct, frozen=True, kw_only=True):
    """How one evaluator is configured: the first rule that matches app and route gives the options.

    Without rules it applies everywhere with its defaults; with rules of which none matches, it does not apply.
    """

    name: str
    enabled: bool = True
    pass_mark: float | None = None
    timeout_seconds: float = DEFAULT_TIMEOUT
    rules: tuple[Rule, ...] = ()


class PanelProblem(Struct, frozen=True):
    """One thing wrong in the configuration of the evaluators; ``where`` is the path below ``evaluators``."""

    where: tuple[str | int, ...]
    message: str


class PanelError(ValueError):
    """The configuration of the evaluators is wrong; ``problems`` has everything at once."""

    def __init__(self, problems: list[PanelProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "\n".join(f"{'.'.join(map(str, ('evaluators', *one.where)))}: {one.message}" for one in problems)
        )


_Said = Evaluation | Unscored | Failure
_NUMBERS = (int, float)
_SKIP_REASONS = frozenset(get_args(SkipReason))


class _Run:
    """An evaluator with its options, and what its simplest results mean, made once because most results are those."""

    __slots__ = ("_before", "_function", "_plain", "interrupted", "late", "name", "pass_mark", "timeout", "version")

    def __init__(
        self, evaluator: Evaluator, pass_mark: float, timeout: float, options: dict[str, Any], version: str
    ) -> None:
        self.name = evaluator.name
        self.version = version
        self.timeout = timeout
        self.interrupted = self._failed("timeout", "interrupted")
        self.late = self._failed("timeout", "found out afterwards")
        self.pass_mark = pass_mark
        self._function = partial(evaluator.function, **options) if options else evaluator.function
        self._plain: dict[bool | None, _Said] = {
            None: Unscored(evaluator=evaluator.name, reason="not_applicable"),
            True: self._judged(1.0),
            False: self._judged(0.0),
        }
        self._before: tuple[Score | None, _Said] = None, self._plain[None]

    def said(self, trace: Trace) -> _Said:
        """What the evaluator says of a trace; nothing but OverdueError and KeyboardInterrupt comes out of it."""
        try:
            result = self._function(trace)
            if result is None or result is True or result is False:
                return self._plain[result]
            if isinstance(result, Skipped):
                return self._skipped(result.reason)
            return self._scored(result) if isinstance(result, Score) else self._judged(result)
        except (OverdueError, KeyboardInterrupt):
            raise
        except BudgetError:
            return self._failed("budget", "more work than the evaluator may do for one trace")
        except BaseException as error:  # noqa: BLE001 - SystemExit too: an evaluator must not end the exporter
            return self._failed("exception", type(error).__name__)

    def _failed(self, reason: FailureReason, detail: str) -> Failure:
        return Failure(evaluator=self.name, evaluator_version=self.version, reason=reason, detail=detail)

    def _scored(self, score: Score) -> _Said:
        """Some evaluators have one Score for most traces."""
        before, said = self._before
        if score is not before:
            said = self._judged(score.value, score.passed, score.explanation, score.quotes)
            self._before = score, said
        return said

    def _skipped(self, reason: Any) -> Unscored | Failure:
        if reason not in _SKIP_REASONS:
            return self._failed("invalid_result", "skipped for a reason that does not exist")
        return Unscored(evaluator=self.name, reason=reason)

    def _judged(self, value: Any, passed: Any = None, explanation: Any = "", quotes: Any = ()) -> Evaluation | Failure:
        if isinstance(value, bool) or not isinstance(value, _NUMBERS):
            return self._failed("invalid_result", f"a {type(value).__name__}, not a number")
        if not 0 <= value <= 1:
            return self._failed("invalid_result", "outside 0..1")
        if not (isinstance(explanation, str) and isinstance(quotes, tuple)):
            return self._failed("invalid_result", "an explanation or quotes of the wrong type")
        good = value >= self.pass_mark if passed is None else passed
        return Evaluation(
            evaluator=self.name,
            evaluator_version=self.version,
            verdict="pass" if good else "fail",
            score=float(value),
            explanation=explanation,
            quotes=quotes,
        )


_Plan = tuple[_Run | Unscored, ...]


class _Hearing:
    """A trace and what the evaluators of its plan said of it so far."""

    __slots__ = ("durations", "plan", "said", "trace")

    def __init__(self, trace: Trace, plan: _Plan) -> None:
        self.trace = trace
        self.plan = plan
        self.said: dict[type, list[Any]] = {Evaluation: [], Unscored: [], Failure: []}
        self.durations: list[tuple[str, float]] = []

    def outcome(self) -> Outcome:
        """All that was said."""
        return Outcome(
            evaluations=tuple(self.said[Evaluation]),
            unscored=tuple(self.said[Unscored]),
            failures=tuple(self.said[Failure]),
            durations=tuple(self.durations),
        )


class _Configured(Struct, frozen=True):
    evaluator: Evaluator
    rules: tuple[tuple[Rule, _Run], ...]


class Panel:
    """The evaluators that run on every trace.

    Built-in evaluators run unless a spec disables them; plugins run where a spec names them. PanelError where a spec is
    wrong. Not for use by two threads at once.
    """

    def __init__(self, specs: Mapping[str, EvaluatorSpec], registry: Registry) -> None:
        problems: list[PanelProblem] = []
        self._configured = tuple(_configured(specs, registry, problems))
        if problems:
            raise PanelError(problems)
        self.names = tuple(one.evaluator.name for one in self._configured)
        everywhere = all(rule == Rule(options=rule.options) for one in self._configured for rule, _ in one.rules[:1])
        self._everywhere = tuple(one.rules[0][1] for one in self._configured) if everywhere else None
        self._plans: dict[tuple[str, str], _Plan] = {}
        self._nowhere = Outcome(
            unscored=tuple(Unscored(evaluator=name, reason="not_applicable") for name in self.names)
        )
        self._blind = Outcome(unscored=tuple(Unscored(evaluator=name, reason="not_captured") for name in self.names))
        timeouts = [run.timeout for one in self._configured for _, run in one.rules]
        self._deadline = Deadline(min(timeouts, default=DEFAULT_TIMEOUT) / 2)

    @property
    def pass_marks(self) -> frozenset[float]:
        """The scores from which verdicts are a pass, over all evaluators and rules."""
        return frozenset(run.pass_mark for one in self._configured for _, run in one.rules)

    @property
    def marks(self) -> dict[str, float]:
        """Each evaluator's pass mark."""
        return {run.name: run.pass_mark for one in self._configured for _, run in one.rules}

    @property
    def versions(self) -> dict[str, tuple[str, ...]]:
        """Each evaluator's versions, one for each rule that gives other options than those before it."""
        return {
            one.evaluator.name: tuple(dict.fromkeys(run.version for _, run in one.rules)) for one in self._configured
        }

    def crashed(self) -> Outcome:
        """What is said of a trace that ended the process: every evaluator failed."""
        return Outcome(
            failures=tuple(
                Failure(evaluator=name, evaluator_version=versions[0], reason="crashed")
                for name, versions in self.versions.items()
            )
        )

    def evaluate(self, trace: Trace) -> Outcome:
        """Everything that the evaluators say of the trace: of each exactly one evaluation, unscored or failure."""
        return self.evaluate_all((trace,))[0]

    def evaluate_all(self, traces: Sequence[Trace]) -> list[Outcome]:
        """What ``evaluate`` says of each trace; each evaluator takes all of them in turn, which a processor likes."""
        heard = [self._begun(trace) for trace in traces]
        hearings = [one for one in heard if isinstance(one, _Hearing)]
        if hearings:
            with self._deadline.watching():
                for place in range(len(self._configured)):
                    self._ask(place, hearings)
        return [one.outcome() if isinstance(one, _Hearing) else one for one in heard]

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Arm the time-outs once for many calls; each call alone arms them, which costs some 10 us."""
        with self._deadline.watching():
            yield

    def _begun(self, trace: Trace) -> _Hearing | Outcome:
        if trace.content_state == "not_captured":
            return self._blind
        if trace.content_state == "error":
            return self._nowhere
        return _Hearing(trace, self._everywhere or self._plan_of(trace.app, trace.route))

    def _ask(self, place: int, hearings: Sequence[_Hearing]) -> None:
        deadline, ended = self._deadline, perf_counter()
        for hearing in hearings:
            run = hearing.plan[place]
            if not isinstance(run, _Run):
                hearing.said[Unscored].append(run)
                continue
            began = ended
            due = began + run.timeout
            try:
                deadline.due = due
                said = run.said(hearing.trace)
                deadline.due = inf
            except OverdueError:
                deadline.due = inf
                said = run.interrupted
            ended = perf_counter()
            hearing.durations.append((run.name, ended - began))
            if ended > due and said is not run.interrupted:
                said = run.late
            hearing.said[type(said)].append(said)

    def _plan_of(self, app: str, route: str) -> _Plan:
        key = app[:_NAME], route[:_NAME]
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS:
                self._plans.clear()
            plan = self._plans[key] = tuple(_chosen(one, *key) for one in self._configured)
        return plan


def _configured(
    specs: Mapping[str, EvaluatorSpec], registry: Registry, problems: list[PanelProblem]
) -> Iterator[_Configured]:
    known = ", ".join(registry.evaluators)
    problems += (
        PanelProblem((name,), f"no evaluator is named {name!r}; there are: {known}")
        for name in specs
        if name not in registry.evaluators
    )
    for name, evaluator in registry.evaluators.items():
        spec = specs.get(name, EvaluatorSpec(name=name, enabled=evaluator.source == "built in"))
        if spec.enabled:
            problems += _limits(name, spec)
            yield _Configured(evaluator, tuple(_runs(evaluator, spec, registry, problems)))


def _limits(name: str, spec: EvaluatorSpec) -> Iterator[PanelProblem]:
    if spec.pass_mark is not None and not 0 <= spec.pass_mark <= 1:
        yield PanelProblem((name, "pass_mark"), "must be between 0 and 1")
    if not 0 < spec.timeout_seconds <= 3600:
        yield PanelProblem((name, "timeout"), "must be above 0 and at most an hour")


def _runs(
    evaluator: Evaluator, spec: EvaluatorSpec, registry: Registry, problems: list[PanelProblem]
) -> Iterator[tuple[Rule, _Run]]:
    mark = evaluator.pass_mark if spec.pass_mark is None else spec.pass_mark
    for number, rule in enumerate(spec.rules or (Rule(),)):
        try:
            options = registry.bound(evaluator.name, rule.options)
        except OptionError as error:
            where = (evaluator.name, "rules", number, "options") if spec.rules else (evaluator.name,)
            problems += [
                PanelProblem((*where, option) if option else where, message) for option, message in error.problems
            ]
            continue
        version = _version(evaluator, mark, changed(evaluator.options, rule.options, options))
        yield rule, _Run(evaluator, mark, spec.timeout_seconds, options, version)


def _version(evaluator: Evaluator, mark: float, options: dict[str, Any]) -> str:
    """The evaluator's version; where its pass mark or options are not the defaults, with a short hash of them."""
    different: dict[str, Any] = {"options": options} if options else {}
    if mark != evaluator.pass_mark:
        different["pass_mark"] = mark
    return f"{evaluator.version}+{digest(different)}" if different else evaluator.version


def _chosen(one: _Configured, app: str, route: str) -> _Run | Unscored:
    for rule, run in one.rules:
        if any(fnmatchcase(app, glob) for glob in rule.apps) and any(fnmatchcase(route, glob) for glob in rule.routes):
            return run
    return Unscored(evaluator=one.evaluator.name, reason="not_applicable")
