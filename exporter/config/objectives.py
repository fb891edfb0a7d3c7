"""The ``slos`` and ``alerting`` sections of a config → SLOs, and what their rules are made with. Knows no PromQL."""

from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec.structs import replace

from ..rules.files import RuleSettings
from ..rules.rulefile import Links
from ..rules.slo import (
    DEFAULT_SLOS,
    LAST_WEEK,
    WINDOWS,
    CoverageSli,
    Errors,
    Override,
    Signal,
    Slo,
    SloProblem,
    VerdictsSli,
    Window,
    problems,
)
from ..runtime.mismatch import closest
from . import units
from .configfile import Part
from .rubrics import shipped

Report = Callable[[Part, str], None]
Measure = VerdictsSli | Signal | CoverageSli | Errors

_BUILT_IN: Final = {slo.name: slo for slo in DEFAULT_SLOS}
_EVERYWHERE: Final = ("*",)
_UNNAMED: Final = ("unknown", "__other__")


class Objectives:
    """Both sections of one file on their way to SLOs.

    ``running`` says of each evaluator whether it runs; ``allow`` are the only values of labels that have a list;
    ``reported`` are the places of which something wrong has been said.
    """

    def __init__(
        self,
        slos: Part,
        alerting: Part,
        *,
        running: Mapping[str, bool],
        allow: Mapping[str, tuple[str, ...]],
        reported: Collection[str],
        wrong: Report,
        odd: Report,
    ) -> None:
        self._slos, self._alerting = slos, alerting
        # Whether the judge's own rubrics run is not said in ``evaluators``.
        self._running = {**dict.fromkeys(shipped(), True), **running}
        self._allow, self._reported = allow, reported
        self._wrong, self._odd = wrong, odd

    def slos(self) -> tuple[Slo, ...]:
        """The SLOs that are enabled; a built-in one that the file does not name goes with its evaluator."""
        windows = tuple(self._windows())
        names = [*_BUILT_IN, *(name for name in self._slos.value if name not in _BUILT_IN)]
        found = [slo for slo in (self._slo(name, windows) for name in names) if slo]
        for problem in problems(found):
            (self._odd if problem.warning else self._wrong)(self._place(problem), problem.message)
        return tuple(found)

    def alerting(self) -> RuleSettings:
        """What is the same for the rules of all SLOs."""
        parsers: dict[str, Callable[[Any], Any]] = {
            "z": _decimal,
            "comparison_z": _decimal,
            "design_effect": _decimal,
            "offline_max_age": lambda text: int(units.duration(text)),
            "job": units.job,
            "extra_labels": tuple,
            "selector": units.matchers,
        }
        values = self._alerting.plain()
        links = {name: values[name] for name in ("runbooks", "grafana", "answers") if name in values}
        given = {name: parse(values[name]) for name, parse in parsers.items() if name in values}
        return RuleSettings(**given, links=Links(**links))

    def _windows(self) -> Iterator[Window]:
        known = {window.name: window for window in WINDOWS}
        section = self._alerting.find("windows")
        given = section.value if section else {}
        yield from (self._window(known[name], given.get(name)) for name in known)
        for name, part in given.items():
            if name in known:
                continue
            severity, long = units.burn_window(name)
            missing = [key for key in ("short", "factor", "cap", "for") if key not in part.value]
            if not missing:
                blank = Window(severity=severity, long=long, short="", factor=Decimal(1), cap=Decimal(1), pending="")
                yield self._window(blank, part)
            elif not any(f"{part.where}.{key}" in self._reported for key in missing):
                self._wrong(part, f'is not a built-in window: "{missing[0]}" is missing')

    def _window(self, window: Window, part: Part | None) -> Window:
        values = part.plain() if part else {}
        given = {name: values[key] for name, key in (("short", "short"), ("pending", "for")) if key in values}
        numbers = {name: _decimal(values[name]) for name in ("factor", "cap") if name in values}
        return replace(window, **given, **numbers)

    def _slo(self, name: str, windows: tuple[Window, ...]) -> Slo | None:
        """The SLO, unless it is switched off or not complete."""
        part, base = self._slos.find(name), _BUILT_IN.get(name)
        if part is None:
            return replace(base, windows=windows) if base and self._runs(base.measure) else None
        measure, objective = self._measure(name, part, base), self._objective(part, base)
        given = self._given(part, windows)
        if measure is None or objective is None or part.plain().get("enabled") is False:
            return None
        if isinstance(measure, VerdictsSli) and not self._running.get(measure.evaluator, True):
            cure = "enable it under evaluators, or say enabled: false here"
            self._wrong(part.find("evaluator") or part, f"can never alert: {measure.evaluator} does not run; {cure}")
        slo = base or Slo(name=name, measure=measure, objective=objective)
        return replace(slo, measure=measure, objective=objective, windows=windows, **given)

    def _runs(self, measure: Measure) -> bool:
        return not isinstance(measure, VerdictsSli) or self._running.get(measure.evaluator, False)

    def _objective(self, part: Part, base: Slo | None) -> Decimal | None:
        written = part.find("objective")
        if written:
            return _decimal(written.value)
        if base is None and f"{part.where}.objective" not in self._reported:
            self._wrong(part, 'needs an "objective" above 0 and below 1, such as 0.95')
        return base.objective if base else None

    def _measure(self, name: str, part: Part, base: Slo | None) -> Measure | None:
        evaluator, signal, per = part.find("evaluator"), part.find("signal"), part.find("per")
        if evaluator and signal:
            self._wrong(part, 'needs either "evaluator" or "signal"; both are given')
            return None
        was = base.measure if base else None
        if per and (evaluator or not (signal or isinstance(was, Signal))):
            self._wrong(per, 'says what a "signal" is counted against: leave it out')
        if evaluator:
            if evaluator.value not in self._running:
                known = closest(evaluator.value, self._running)
                self._wrong(evaluator, f'no evaluator is named "{evaluator.value}"; {known}')
            return VerdictsSli(evaluator.value)
        if signal:
            return Signal(signal.value, per=per.value if per else "response")
        if per and isinstance(was, Signal):
            return replace(was, per=per.value)
        if was is None and not {f"{part.where}.evaluator", f"{part.where}.signal"} & {*self._reported}:
            known = closest(name, _BUILT_IN)
            self._wrong(part, f'is not a built-in SLO ({known}) and needs either "evaluator" or "signal"')
        return was

    def _given(self, part: Part, windows: tuple[Window, ...]) -> dict[str, Any]:
        values = part.plain()
        given: dict[str, Any] = {key: tuple(values[key]) for key in ("apps", "routes") if key in values}
        if "min_bad_events" in values:
            given["min_bad_events"] = values["min_bad_events"]
        if alerts := part.find("alerts"):
            given["alerts"] = tuple(self._alerts(alerts, [*(window.name for window in windows), LAST_WEEK]))
        if overrides := part.find("overrides"):
            given["overrides"] = tuple(self._override(one) for one in overrides.value)
            self._check_order(overrides, given["overrides"])
        self._check_labels(part)
        return given

    def _alerts(self, alerts: Part, known: Collection[str]) -> Iterator[str]:
        for item in alerts.value:
            if item.value in known:
                yield item.value
            else:
                self._wrong(item, f'"{item.value}" is not an alert; {closest(item.value, known)}')

    def _override(self, part: Part) -> Override:
        values = part.plain()
        self._check_labels(part)
        globs = {key: tuple(values.get(key, _EVERYWHERE)) for key in ("apps", "routes")}
        return Override(objective=_decimal(values["objective"]), **globs)

    def _check_order(self, part: Part, overrides: tuple[Override, ...]) -> None:
        everywhere = [number for number, one in enumerate(overrides) if one.apps == one.routes == _EVERYWHERE]
        if everywhere and everywhere[0] + 1 < len(overrides):
            message = f"is never reached: override {everywhere[0]} matches everywhere; put the others first"
            self._odd(part.value[everywhere[0] + 1], message)

    def _check_labels(self, part: Part) -> None:
        """Globs that match no value that a label may take belong to alerts that can never fire."""
        for key, label in (("apps", "app"), ("routes", "route")):
            globs, allowed = part.find(key), self._allow.get(label)
            if globs is None or not allowed:
                continue
            if not any(fnmatchcase(value, glob) for value in (*allowed, *_UNNAMED) for glob in globs.plain()):
                values = f"labels.allow.{label} ({', '.join(allowed)})"
                self._wrong(globs, f"can never alert: it matches none of {values}; name one of them")

    def _place(self, problem: SloProblem) -> Part:
        """Where a problem is to be cured: a window where the file has it, else what names it."""
        holder = self._slos.find(problem.slo) or self._slos
        if not problem.window:
            return holder.find(*problem.at) or holder
        alerts = holder.find("alerts")
        naming = [item for item in alerts.value if item.value == problem.window] if alerts else []
        return self._alerting.find("windows", problem.window) or next(iter(naming), holder)


def _decimal(value: float) -> Decimal:
    """The number as it was written: 0.95 is 95/100."""
    return Decimal(str(value))
