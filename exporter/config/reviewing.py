"""The ``review`` section of a config → ReviewSettings. Knows which evaluators there are; no trace and no store."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct

from ..runtime.mismatch import closest
from . import units
from .configfile import Part
from .settings import DEFAULT_ASK, DEFAULT_REASONS, Ask, Reason, ReviewSettings

Report = Callable[[Part, str], None]
_T = TypeVar("_T", bound=Struct)
_DURATIONS: Final = ("claim", "wait", "expire", "keep")
_EVALUATORS: Final = ("failed", "passed", "disagree", "near", "flipped")
_CONDITIONS: Final = (*_EVALUATORS, "feedback")


def review(section: Part, evaluators: Collection[str], wrong: Report) -> ReviewSettings:
    """The settings; of use only where nothing was reported wrong. ``evaluators``: those that can give a verdict."""
    written = section.plain()
    ask = _entries(section, "ask", {one.evaluator: one for one in DEFAULT_ASK}, _ask)
    reasons = _entries(section, "reasons", {one.name: one for one in DEFAULT_REASONS}, _reason)
    for reason in reasons:
        part = section.find("reasons", reason.name)
        if part is not None:
            _check(reason, part, evaluators, [one.evaluator for one in ask], wrong)
    given: dict[str, Any] = {name: units.duration(written[name]) for name in _DURATIONS if name in written}
    given |= {name: written[name] for name in ("enabled", "instructions", "items", "similarity") if name in written}
    return ReviewSettings(**given, reasons=tuple(reasons), ask=tuple(ask))


def _entries(
    section: Part, key: str, defaults: Mapping[str, _T], make: Callable[[str, _T | None, dict[str, Any]], _T | None]
) -> list[_T]:
    """The entries of a mapping over its defaults: those of the file first to last, in the place of a default's own."""
    part = section.find(key)
    written = part.plain() if part else {}
    names = [*defaults, *(name for name in written if name not in defaults)]
    found = [make(name, defaults.get(name), dict(written.get(name) or {})) for name in names]
    return [one for one in found if one is not None]


def _ask(evaluator: str, default: Ask | None, written: dict[str, Any]) -> Ask | None:
    if not written.pop("enabled", True):
        return None
    fields = {"question": f"{evaluator}?"} if default is None else _fields(default)
    return Ask(**{**fields, **written, "evaluator": evaluator})


def _reason(name: str, default: Reason | None, written: dict[str, Any]) -> Reason | None:
    if not written.pop("enabled", True):
        return None
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in written.items()}
    return Reason(**{**({} if default is None else _fields(default)), **lists, "name": name})


def _fields(one: Struct) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__struct_fields__}


def _check(reason: Reason, part: Part, evaluators: Collection[str], ask: list[str], wrong: Report) -> None:
    if not any(getattr(reason, name) for name in _CONDITIONS) and reason.share >= 1:
        wrong(part, f"would take every trace: give one of {', '.join(_CONDITIONS)}, or a share below 1")
    if len(reason.disagree) == 1:
        wrong(part.find("disagree") or part, "one evaluator cannot disagree with itself: name at least two")
    for key, known in (*((key, evaluators) for key in _EVALUATORS), ("ask", ask)):
        listed = part.find(key)
        for one in listed.value if listed else ():
            if one.value not in known:
                wrong(one, f'there is no "{one.value}" here; {closest(one.value, known)}')
