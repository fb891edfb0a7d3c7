"""The evaluator type, and the registry of all evaluators; knows nothing of what any of them evaluates."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from msgspec import Struct

from .options import NO_DEFAULT, Option, OptionError, bind, declared, show_default, show_type

GROUP = "llmq.evaluators"
"""The entry-point group of plugins: the entry point's name is the evaluator's."""

Function = Callable[..., Any]
Kind = Literal["code", "judge"]


class Evaluator(Struct, frozen=True, kw_only=True):
    """A function of a Trace with its name, version and options; ``source`` is the distribution that it came from."""

    name: str
    version: str
    kind: Kind
    function: Function
    options: tuple[Option, ...]
    pass_mark: float
    summary: str
    source: str


class Listed(Struct, frozen=True, kw_only=True):
    """The description of one evaluator for people: every field is text, options are (name, type, default)."""

    name: str
    version: str
    kind: str
    source: str
    options: tuple[tuple[str, str, str], ...]
    summary: str


class _Declaration(Struct, frozen=True):
    name: str
    version: str
    kind: Kind
    pass_mark: float


class DuplicateEvaluatorError(ValueError):
    """Two evaluators have one name."""


def evaluator(
    name: str, *, version: str, kind: Kind = "code", pass_mark: float = 0.5
) -> Callable[[Function], Function]:
    """Declare a function to be an evaluator; the function itself stays as it is."""

    def declare(function: Function) -> Function:
        function.__dict__["__evaluator__"] = _Declaration(name, version, kind, pass_mark)
        return function

    return declare


def described(function: Function, *, name: str = "", version: str = "", source: str = "built in") -> Evaluator:
    """Read the function's declaration, signature and docstring; TypeError where it cannot be an evaluator."""
    if not callable(function):
        raise TypeError(f"{type(function).__name__} is not a function")
    if inspect.iscoroutinefunction(function):
        raise TypeError("is async; an evaluator is a plain function")
    attributes = getattr(function, "__dict__", {})
    declaration = attributes.get("__evaluator__") or _Declaration(
        name, str(attributes.get("__version__") or version), "code", 0.5
    )
    return Evaluator(
        name=name or declaration.name,
        version=declaration.version,
        kind=declaration.kind,
        function=function,
        options=declared(function),
        pass_mark=declaration.pass_mark,
        summary=next(iter((inspect.getdoc(function) or "").splitlines()), ""),
        source=source,
    )


class Registry:
    """The evaluators by name, in the order in which they run; ``problems`` are plugins that could not be loaded."""

    def __init__(self, evaluators: Iterable[Evaluator], problems: Iterable[str] = ()) -> None:
        self._evaluators: dict[str, Evaluator] = {}
        self.problems = tuple(problems)
        for one in evaluators:
            if one.name in self._evaluators:
                raise DuplicateEvaluatorError(f"two evaluators are named {one.name!r}")
            self._evaluators[one.name] = one

    @property
    def evaluators(self) -> Mapping[str, Evaluator]:
        """Every evaluator by name."""
        return self._evaluators

    def bound(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check and convert one evaluator's options; OptionError lists everything wrong with them."""
        if name not in self._evaluators:
            known = ", ".join(self._evaluators)
            raise OptionError([("", f"no evaluator is named {name!r}; there are: {known}")])
        return bind(self._evaluators[name].options, options)

    def listing(self, versions: Mapping[str, Sequence[str]] | None = None) -> tuple[Listed, ...]:
        """Everything that ``llmq evaluators`` shows, in running order; ``versions``: of those that are configured."""
        shown = versions or {}
        return tuple(_listed(one, ", ".join(shown.get(one.name, (one.version,)))) for one in self._evaluators.values())

    def with_plugins(self, points: Iterable[EntryPoint] | None = None) -> "Registry":
        """A new registry that has the installed plugins too; what does not load is a problem in it, not an error."""
        known = dict(self._evaluators)
        problems = list(self.problems)
        found = entry_points(group=GROUP) if points is None else points
        for point in sorted(found, key=lambda point: (point.name, _source(point))):
            if point.name in known:
                problems.append(f"{_source(point)}: an evaluator named {point.name!r} exists already")
                continue
            try:
                known[point.name] = _plugin(point)
            except Exception as error:  # noqa: BLE001 - a plugin's import may raise anything
                problems.append(f"{_source(point)}: cannot load {point.name!r}: {type(error).__name__}: {error}")
        return Registry(known.values(), problems)


def _plugin(point: EntryPoint) -> Evaluator:
    version = point.dist.version if point.dist else "unknown"
    return described(point.load(), name=point.name, version=version, source=_source(point))


def _source(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown distribution"


def _listed(one: Evaluator, version: str) -> Listed:
    options = tuple(
        (option.name, show_type(option.type), "" if option.default is NO_DEFAULT else show_default(option.default))
        for option in one.options
    )
    return Listed(
        name=one.name,
        version=version,
        kind=one.kind,
        source=one.source,
        options=options,
        summary=one.summary,
    )
