"""The ``evaluators`` section of a config → an EvaluatorSpec each. Knows the registry, no evaluator."""

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from ..evaluators import Evaluator, Registry
from ..evaluators.options import NO_DEFAULT, OptionError
from ..evaluators.panel import EvaluatorRule, EvaluatorSpec
from ..runtime.mismatch import closest
from . import units
from .configfile import Part

Report = Callable[[Part, str], None]
_EVERYWHERE = ("*",)


class UnknownEvaluatorError(ValueError):
    """An evaluator is asked for that does not exist, or could not be loaded."""


def specs(section: Part, registry: Registry, folder: Path, wrong: Report, odd: Report) -> dict[str, EvaluatorSpec]:
    """Every built-in evaluator and every other that the section names, by name, in running order.

    Options whose names end in ``_file`` name files relative to ``folder``.
    """
    _place_files(section, folder)
    for name, part in section.value.items():
        if name not in registry.evaluators:
            wrong(part, _unknown(name, registry))
    for problem in registry.problems:
        odd(section, problem)
    found: dict[str, EvaluatorSpec] = {}
    for name, evaluator in registry.evaluators.items():
        part = section.find(name)
        if part is not None:
            found[name] = _spec(evaluator, part, registry, wrong, odd)
        elif evaluator.source == "built in":
            found[name] = EvaluatorSpec(name=name)
        else:
            odd(section, f'the plugin "{name}" ({evaluator.source}) does not run: name it here, or say enabled: false')
    return found


def _place_files(section: Part, folder: Path) -> None:
    for evaluator in section.value.values():
        rules = evaluator.find("rules")
        for holder in (evaluator, *(rules.value if rules else ())):
            options = holder.find("options")
            for name, option in options.value.items() if options else ():
                if name.endswith("_file") and isinstance(option.value, str):
                    option.value = str(folder / option.value)


def only(names: Sequence[str], found: dict[str, EvaluatorSpec], registry: Registry) -> dict[str, EvaluatorSpec]:
    """The specs with these evaluators alone enabled, first and in this order; UnknownEvaluatorError as it says."""
    wanted = dict.fromkeys(name.strip() for name in names)
    for name in wanted:
        if name not in registry.evaluators:
            raise UnknownEvaluatorError(_unknown(name, registry))
    enabled = {name: replace(found.get(name, EvaluatorSpec(name=name)), enabled=True) for name in wanted}
    return enabled | {name: replace(spec, enabled=False) for name, spec in found.items() if name not in wanted}


def _unknown(name: str, registry: Registry) -> str:
    broken = next((text for text in registry.problems if repr(name) in text), "")
    return broken or f'no evaluator is named "{name}"; {closest(name, registry.evaluators)}'


def _spec(evaluator: Evaluator, part: Part, registry: Registry, wrong: Report, odd: Report) -> EvaluatorSpec:
    values = part.plain()
    parsers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "enabled": ("enabled", bool),
        "pass_mark": ("pass_mark", float),
        "timeout": ("timeout_seconds", units.duration),
    }
    given = {field: parse(values[key]) for key, (field, parse) in parsers.items() if key in values}
    if given.get("enabled") is False and len(values) > 1:
        odd(part, "is not enabled, so its other settings have no effect")
    rules = tuple(_rules(evaluator, part, registry, wrong))
    _check_complete(evaluator, part, rules, wrong)
    _check_reach(part, rules, odd)
    return EvaluatorSpec(name=evaluator.name, rules=rules, **given)


def _rules(evaluator: Evaluator, part: Part, registry: Registry, wrong: Report) -> Iterator[EvaluatorRule]:
    """The rules with the evaluator's own options under theirs; without rules one for everywhere, if it has options."""
    base = _options(evaluator, part, registry, wrong)
    rules = part.find("rules")
    if rules is None and base:
        yield EvaluatorRule(options=base)
    for rule in rules.value if rules else ():
        values = rule.plain()
        yield EvaluatorRule(
            apps=tuple(values.get("apps", _EVERYWHERE)),
            routes=tuple(values.get("routes", _EVERYWHERE)),
            options=base | _options(evaluator, rule, registry, wrong),
        )


def _options(evaluator: Evaluator, holder: Part, registry: Registry, wrong: Report) -> dict[str, Any]:
    """The options that a rule or an evaluator is given, each of them checked on its own."""
    part = holder.find("options")
    good: dict[str, Any] = {}
    for name, option in part.value.items() if part else ():
        if problem := _problem(evaluator, name, option.plain(), registry):
            wrong(option, problem)
        else:
            good[name] = option.plain()
    return good


def _problem(evaluator: Evaluator, name: str, value: Any, registry: Registry) -> str:
    known = {option.name for option in evaluator.options}
    if name not in known:
        return f'{evaluator.name} has no option "{name}"; {closest(name, known)}'
    if isinstance(value, float) and not isfinite(value):
        return "must be a finite number"
    try:
        registry.bound(evaluator.name, {name: value})
    except OptionError as error:
        return next((text for option, text in error.problems if option == name), "")
    return ""


def _check_complete(evaluator: Evaluator, part: Part, rules: tuple[EvaluatorRule, ...], wrong: Report) -> None:
    """Options without a default must be given; one that is given and wrong has been reported already."""
    needed = [option.name for option in evaluator.options if option.default is NO_DEFAULT]
    for number, rule in enumerate(rules or (EvaluatorRule(),)):
        holder = part.find("rules", number) or part
        for name in needed:
            written = holder.find("options", name) or part.find("options", name)
            if name not in rule.options and written is None:
                wrong(holder, f'{evaluator.name} needs the option "{name}": give it under options')


def _check_reach(part: Part, rules: tuple[EvaluatorRule, ...], odd: Report) -> None:
    everywhere = [number for number, rule in enumerate(rules) if rule.apps == rule.routes == _EVERYWHERE]
    if everywhere and everywhere[0] + 1 < len(rules):
        later = part.find("rules", everywhere[0] + 1) or part
        odd(later, f"is never reached: rule {everywhere[0]} matches everywhere; put the others first")
