"""Runs the configured evaluators on one Trace; their exceptions become failures."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct

from ..model.score import Failure, Outcome, Unscored
from ..model.trace import Trace
from .bound import Bound
from .deadline import Deadline
from .foreign import MEMORY, Foreign
from .options import OptionError, changed, digest
from .registry import Evaluator, Registry
from .session import Hearing, Plan, Session

DEFAULT_TIMEOUT = 1.0
"""Seconds that an evaluator may take on one trace."""

_PLANS = 4096
_NAME = 1024


class EvaluatorRule(Struct, frozen=True, kw_only=True):
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
    rules: tuple[EvaluatorRule, ...] = ()


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


class _Configured(Struct, frozen=True):
    evaluator: Evaluator
    rules: tuple[tuple[EvaluatorRule, Bound], ...]


class Panel:
    """The evaluators that run on every trace.

    Built-in evaluators run unless a spec disables them; plugins run where a spec names them, in a process of their own
    that may take so many bytes of address space. PanelError where a spec is wrong. Not for use by two threads at once.
    """

    def __init__(self, specs: Mapping[str, EvaluatorSpec], registry: Registry, *, plugin_memory: int = MEMORY) -> None:
        problems: list[PanelProblem] = []
        self._configured = tuple(_configured(specs, registry, problems))
        if problems:
            raise PanelError(problems)
        self.names = tuple(one.evaluator.name for one in self._configured)
        everywhere = all(
            rule == EvaluatorRule(options=rule.options) for one in self._configured for rule, _ in one.rules[:1]
        )
        self._everywhere = tuple(one.rules[0][1] for one in self._configured) if everywhere else None
        self._plans: dict[tuple[str, str], Plan] = {}
        self._nowhere = Outcome(
            unscored=tuple(Unscored(evaluator=name, reason="not_applicable") for name in self.names)
        )
        self._blind = Outcome(unscored=tuple(Unscored(evaluator=name, reason="not_captured") for name in self.names))
        timeouts = [run.timeout for one in self._configured for _, run in one.rules]
        self._foreign = Foreign({name: spec for name, spec in specs.items() if name in self.names}, plugin_memory)
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
        """The outcome of a trace that crashed the process: every evaluator failed."""
        return Outcome(
            failures=tuple(
                Failure(evaluator=name, evaluator_version=versions[0], reason="crashed")
                for name, versions in self.versions.items()
            )
        )

    def evaluate(self, trace: Trace) -> Outcome:
        """All results for the trace: exactly one evaluation, unscored or failure for each evaluator."""
        return self.evaluate_all((trace,))[0]

    def evaluate_all(self, traces: Sequence[Trace]) -> list[Outcome]:
        """What ``evaluate`` says of each trace; waits for those of plugins, so not for an event loop."""
        session = self.session(traces)
        with self._deadline.watching():
            for _ in session.here():
                pass
        if session.asks_elsewhere:
            session.elsewhere()
        return session.outcomes()

    def session(self, traces: Sequence[Trace]) -> Session:
        """Begin to evaluate a batch of traces."""
        heard = [self._begun(trace) for trace in traces]
        return Session(heard, len(self._configured), self._deadline, self._foreign)

    @contextmanager
    def armed(self) -> Iterator[None]:
        """Arm the time-outs once for many calls; each call alone arms them, which costs some 10 us."""
        with self._deadline.watching():
            yield

    def close(self) -> None:
        """End the process of the plugins; pending calls to them fail."""
        self._foreign.close()

    def _begun(self, trace: Trace) -> Hearing | Outcome:
        if trace.content_state == "not_captured":
            return self._blind
        if trace.content_state == "error":
            return self._nowhere
        return Hearing(trace, self._everywhere or self._plan_of(trace.app, trace.route))

    def _plan_of(self, app: str, route: str) -> Plan:
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
) -> Iterator[tuple[EvaluatorRule, Bound]]:
    mark = evaluator.pass_mark if spec.pass_mark is None else spec.pass_mark
    for number, rule in enumerate(spec.rules or (EvaluatorRule(),)):
        try:
            options = registry.bound(evaluator.name, rule.options)
        except OptionError as error:
            where = (evaluator.name, "rules", number, "options") if spec.rules else (evaluator.name,)
            problems += [
                PanelProblem((*where, option) if option else where, message) for option, message in error.problems
            ]
            continue
        version = _version(evaluator, mark, changed(evaluator.options, rule.options, options))
        yield rule, Bound(evaluator, mark, spec.timeout_seconds, options, version, number)


def _version(evaluator: Evaluator, mark: float, options: dict[str, Any]) -> str:
    """The evaluator's version; where its pass mark or options are not the defaults, with a short hash of them."""
    different: dict[str, Any] = {"options": options} if options else {}
    if mark != evaluator.pass_mark:
        different["pass_mark"] = mark
    return f"{evaluator.version}+{digest(different)}" if different else evaluator.version


def _chosen(one: _Configured, app: str, route: str) -> Bound | Unscored:
    for rule, run in one.rules:
        if any(fnmatchcase(app, glob) for glob in rule.apps) and any(fnmatchcase(route, glob) for glob in rule.routes):
            return run
    return Unscored(evaluator=one.evaluator.name, reason="not_applicable")


def bounds(specs: Mapping[str, EvaluatorSpec], registry: Registry) -> dict[str, dict[int, Bound]]:
    """The evaluators that specs name, by name and by the number of the rule that gives the options."""
    found: dict[str, dict[int, Bound]] = {}
    for name, spec in specs.items():
        if name in registry.evaluators:
            found[name] = {bound.rule: bound for _, bound in _runs(registry.evaluators[name], spec, registry, [])}
    return found
