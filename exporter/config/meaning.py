"""Checks that involve several values of a config: contradictions, secrets, evaluators. Knows no YAML and no HTTP."""

from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from ..evaluators import Registry
from ..evaluators.panel import EvaluatorSpec
from ..ingest.assembly import AssemblyLimits as Assembly
from ..rules.slo import DEFAULT_SLOS, Slo
from ..runtime.os_errors import why
from ..semconv.sources import Sources
from . import units
from .configfile import Part, Problem, read
from .judging import JudgeSection, Surroundings
from .objectives import Objectives
from .reviewing import review
from .settings import (
    HAS_GRPC,
    MIB,
    NO_GRPC,
    Config,
    ConnectionLimits,
    FeedbackSettings,
    JudgeSettings,
    Labels,
    MetricsSettings,
    Origin,
    Price,
    Privacy,
    RequestLimits,
    RetentionSettings,
    Secret,
    ServerSettings,
    StoreSettings,
    Token,
)
from .specs import specs

DEFAULT_FILE: Final = Path(__file__).with_name("default.yaml")
SLICE: Final = ("app", "route", "model_version", "prompt_version")
_LONGEST_SECRET: Final = 4096
_SHORTEST_SECRET: Final = 16
_ORDERED: Final[tuple[tuple[str, str, Callable[[str], float]], ...]] = (
    ("assembly.grace", "assembly.idle", units.duration),
    ("assembly.idle", "assembly.max_age", units.duration),
    ("assembly.max_age", "store.retention.age", units.duration),
    ("limits.body_bytes", "limits.decompressed_bytes", units.size),
    ("limits.body_bytes", "limits.pending_bytes", units.size),
    ("limits.body_bytes", "store.journal", units.size),
    ("limits.body_bytes", "store.retention.size", units.size),
    ("feedback.settle", "feedback.early.age", units.duration),
)
"""Settings of which the first must not be more than the second."""


def _reachable(server: ServerSettings) -> Iterator[tuple[str, units.Address]]:
    """The settings of addresses that other machines can reach, as far as the file names them."""
    for key, address in (("listen", server.listen), ("grpc", server.grpc)):
        if isinstance(address, units.Address) and not address.is_loopback:
            yield key, address


class ConfigReading:
    """One file of the right shape while it is parsed; collects errors (``problems``) and warnings."""

    def __init__(
        self, root: Part, file: str, problems: list[Problem], environ: Mapping[str, str], registry: Registry
    ) -> None:
        self.problems = problems
        self.warnings: list[Problem] = []
        self._root, self._file, self._folder = root, file, Path(file).parent
        self._environ, self._registry = environ, registry
        self._written = _merged(_defaults().plain(), root.plain())

    def config(self, origin: Origin) -> Config:
        """The Config; of use only where ``problems`` stays empty."""
        self._check_order()
        labels, evaluators = self._labels(), self._evaluators()
        prices = self._prices()
        judge = self._judge(prices)
        objectives = self._objectives(labels, evaluators, judge)
        slos = objectives.slos()
        self._write_enabled(slos)
        self._write_budget()
        return Config(
            server=self._server(),
            limits=RequestLimits(
                **self._given(
                    "limits",
                    body_bytes=units.size,
                    decompressed_bytes=units.size,
                    plugin_memory=units.size,
                    attributes_per_span=int,
                    pending_bytes=units.size,
                )
            ),
            store=self._store(),
            privacy=Privacy(**self._given("privacy", redact=tuple, patterns=dict)),
            assembly=Assembly(
                **self._given(
                    "assembly",
                    grace=units.duration,
                    idle=units.duration,
                    incomplete=units.duration,
                    max_age=units.duration,
                    max_traces=int,
                    max_bytes=units.size,
                    max_spans_per_trace=int,
                )
            ),
            attributes=self._attributes(),
            helpers=tuple(self._given("attributes", helpers=tuple).get("helpers", ())),
            labels=labels,
            metrics=MetricsSettings(**self._given("metrics", birth=units.birth)),
            prices=prices,
            evaluators=evaluators,
            slos=slos,
            alerting=objectives.alerting(),
            judge=judge,
            feedback=self._feedback(),
            review=review(self._part("review"), (*self._registry.evaluators, *self._rubric_names(judge)), self._wrong),
            warnings=tuple(sorted(set(self.warnings))),
            written=self._written,
            origin=origin,
        )

    def _wrong(self, part: Part, message: str) -> None:
        self.problems.append(part.problem(self._file, message))

    def _odd(self, part: Part, message: str) -> None:
        self.warnings.append(part.problem(self._file, message))

    def _part(self, *keys: str) -> Part:
        """The part of the file under these keys; an empty one where the file says nothing."""
        return self._root.find(*keys) or Part({}, 1, ".".join(("$", *keys)))

    def _given(self, *keys: str, **parsers: Callable[[Any], Any]) -> dict[str, Any]:
        """What the file says of these settings, parsed; the others keep their defaults."""
        values = self._part(*keys).plain()
        return {name: parse(values[name]) for name, parse in parsers.items() if name in values}

    def _check_order(self) -> None:
        wrong = {problem.where for problem in self.problems}
        for low, high, parse in _ORDERED:
            if f"$.{low}" in wrong or f"$.{high}" in wrong:
                continue
            if parse(self._text(low)) > parse(self._text(high)):
                written = self._root.find(*low.split(".")) or self._part(*high.split("."))
                message = f"{low} ({self._text(low)}) must not be more than {high} ({self._text(high)})"
                self._wrong(written, f"{message}: change one of them")

    def _text(self, path: str) -> str:
        value: Any = self._written
        for key in path.split("."):
            value = value[key]
        return str(value)

    def _server(self) -> ServerSettings:
        given = self._given(
            "server",
            listen=units.address,
            grpc=units.grpc,
            allow_unauthenticated=bool,
            hosts=tuple,
            shutdown=units.duration,
            trace_url=units.trace_url,
        )
        seconds = dict.fromkeys(("header", "idle", "body", "answer"), units.duration)
        limits = ConnectionLimits(**self._given("server", "limits", connections=int, **seconds))
        server = ServerSettings(**given, tokens=tuple(self._tokens()), limits=limits)
        broken = any(problem.where.startswith("$.server.tokens") for problem in self.problems)
        open_to_all = [] if server.tokens or broken else list(_reachable(server))
        for key, address in open_to_all:
            self._open_to_all(self._part("server", key), address, allowed=server.allow_unauthenticated)
        if server.allow_unauthenticated and not open_to_all:
            self._odd(self._part("server", "allow_unauthenticated"), "has no effect here: leave it out")
        self._check_grpc(server)
        if server.tokens and not any("ingest" in token.roles for token in server.tokens):
            self._odd(self._part("server", "tokens"), 'no token has the role "ingest": no application can send traces')
        return server

    def _open_to_all(self, part: Part, address: units.Address, *, allowed: bool) -> None:
        if allowed:
            self._odd(part, f"everybody who reaches {address} may send, read and change everything")
            return
        message = f"{address} can be reached from other machines and there are no tokens"
        self._wrong(part, f"{message}: add server.tokens, or set server.allow_unauthenticated to true")

    def _check_grpc(self, server: ServerSettings) -> None:
        if not isinstance(server.grpc, units.Address):
            return
        if server.grpc == server.listen and server.grpc.port:
            self._wrong(self._part("server", "grpc"), "is the address of server.listen: give gRPC a port of its own")
        elif not HAS_GRPC:
            self._odd(self._part("server", "grpc"), f"has no effect: {NO_GRPC}")

    def _tokens(self) -> Iterator[Token]:
        seen: dict[str, Part] = {}
        secrets: dict[str, str] = {}
        for part in self._part("server", "tokens").value:
            name = part.find("name")
            if name.value in seen:
                line = seen[name.value].line
                self._wrong(name, f'two tokens are named "{name.value}", the other on line {line}: rename one')
            seen.setdefault(name.value, name)
            secret = self._secret(part)
            if secret in secrets:
                self._wrong(part, f'has the same secret as the token "{secrets[secret]}": make a new secret')
            if secret:
                secrets.setdefault(secret, name.value)
                yield Token(name=name.value, roles=frozenset(part.find("roles").plain()), secret=Secret(secret))

    def _secret(self, token: Part) -> str:
        env, file = token.find("env"), token.find("file")
        if any(problem.where in (f"{token.where}.env", f"{token.where}.file") for problem in self.problems):
            return ""
        if (env is None) == (file is None):
            given = "both are given" if env else "neither is given"
            self._wrong(token, f'needs either "env" or "file" to say where its secret is; {given}')
            return ""
        part = env or file or token
        secret = self._from_env(part) if env else self._from_file(part)
        if 0 < len(secret) < _SHORTEST_SECRET:
            self._odd(part, f"the secret is shorter than {_SHORTEST_SECRET} characters: make a longer one")
        return secret

    def _from_env(self, part: Part) -> str:
        secret = self._environ.get(str(part.value), "").strip()
        if not secret:
            state = "is empty" if part.value in self._environ else "is not set"
            self._wrong(part, f"the environment variable {part.value} {state}: set it to the secret")
        return secret

    def _from_file(self, part: Part) -> str:
        try:
            with (self._folder / part.value).open("rb") as file:
                content = file.read(_LONGEST_SECRET + 1)
        except (OSError, ValueError) as error:
            reason = why(error) if isinstance(error, OSError) else "not a file name"
            self._wrong(part, f'the file "{part.value}" cannot be read ({reason}): put the secret into it')
            return ""
        secret = str(content, "utf-8", "replace").strip()
        if not secret or len(content) > _LONGEST_SECRET or not secret.isprintable() or "\ufffd" in secret:
            self._wrong(part, f'the file "{part.value}" must hold the secret alone, in one line of text')
            return ""
        return secret

    def _store(self) -> StoreSettings:
        given = self._given("store", "retention", age=units.duration, size=units.size, content=units.duration)
        retention = RetentionSettings(**given)
        if retention.content is not None and retention.content > retention.age:
            part = self._part("store", "retention", "content")
            self._wrong(part, "text cannot be kept longer than its trace: make it at most store.retention.age")
        sizes = {"journal": units.size, "ballast": units.size}
        names = dict.fromkeys(("schema", "replica", "files", "content", "identifiers"), str)
        given = self._given("store", url=units.store, **names, **sizes)
        if given.get("ballast", MIB) < MIB:
            self._wrong(self._part("store", "ballast"), "too little to tidy a full disk with: make it at least 1MiB")
        password = self._part("store", "password")
        secret = self._secret(password) if password.value else ""
        return StoreSettings(**given, retention=retention, password=Secret(secret) if secret else None)

    def _attributes(self) -> Sources:
        for name, part in self._part("attributes").value.items():
            if not part.value and name != "helpers":
                self._odd(part, "no attribute is tried, so this is unknown for every trace")
        fields = Sources.__struct_fields__
        return Sources(**self._given("attributes", **dict.fromkeys(fields, tuple)))

    def _labels(self) -> Labels:
        default = Labels()
        given = self._given(
            "labels",
            slices=int,
            max_length=int,
            template_routes=bool,
            expire_after=units.duration,
            series_ceiling=int,
        )
        budgets = default.budgets | self._given("labels", "budgets", **dict.fromkeys(SLICE, int))
        allow = self._given("labels", "allow", **dict.fromkeys(SLICE, tuple))
        labels = Labels(**given, budgets=budgets, allow=allow)
        for name in allow:
            self._check_allowed(name, labels)
        return labels

    def _check_allowed(self, name: str, labels: Labels) -> None:
        for part in self._part("labels", "allow", name).value:
            if (length := len(part.value.encode())) > labels.max_length:
                limit = f"labels.max_length ({labels.max_length})"
                self._wrong(part, f"has {length} bytes, more than {limit}: shorten it or raise the limit")
            if part.value == "__other__":
                self._wrong(part, '"__other__" stands for every value that is not allowed: leave it out')
        if name in self._part("labels", "budgets").value:
            self._odd(self._part("labels", "budgets", name), f"has no effect: labels.allow.{name} lists the values")

    def _prices(self) -> tuple[Price, ...]:
        section = self._part("prices")
        seen: list[str] = []
        for model, part in section.value.items():
            first = next((pattern for pattern in seen if fnmatchcase(model, pattern)), None)
            if first is not None:
                self._odd(part, f'is never reached: "{first}" before it matches the same models; put it first')
            seen.append(model)
        return tuple(Price(model=model, **part.plain()) for model, part in section.value.items())

    def _evaluators(self) -> dict[str, EvaluatorSpec]:
        return specs(self._part("evaluators"), self._registry, self._folder, self._wrong, self._odd)

    def _judge(self, prices: tuple[Price, ...]) -> JudgeSettings:
        around = Surroundings(
            folder=self._folder,
            prices=prices,
            evaluators=tuple(self._registry.evaluators),
            reported={problem.where for problem in self.problems},
            secret=self._secret,
            wrong=self._wrong,
            odd=self._odd,
            problem=self.problems.append,
        )
        return JudgeSection(self._part("judge"), around).settings()

    def _write_budget(self) -> None:
        """Write a default down only where no limit of its span is given: a limit replaces it."""
        for span, limits in self._written["judge"]["budget"].items():
            given = self._root.find("judge", "budget", span)
            if isinstance(limits, dict) and given is not None and given.value:
                self._written["judge"]["budget"][span] = given.plain()

    def _feedback(self) -> FeedbackSettings:
        early = self._given("feedback", "early", age=units.duration, items=int)
        conversations = self._given("feedback", "conversations", idle=units.duration, items=int)
        return FeedbackSettings(
            **self._given("feedback", origins=tuple, settle=units.duration),
            **self._given("feedback", "rate", per_second=float, burst=int),
            **{f"early_{name}": value for name, value in early.items()},
            **{"conversations" if name == "items" else name: value for name, value in conversations.items()},
            **self._given("feedback", "rephrase", similarity=float, words=int),
        )

    def _rubric_names(self, judge: JudgeSettings) -> set[str]:
        """Every rubric that the file or the defaults name, whether it judges now or not."""
        return {*self._written["judge"]["rubrics"], *(rubric.name for rubric in judge.rubrics)}

    def _objectives(self, labels: Labels, evaluators: dict[str, EvaluatorSpec], judge: JudgeSettings) -> Objectives:
        return Objectives(
            self._part("slos"),
            self._part("alerting"),
            running={
                **dict.fromkeys(self._registry.evaluators, False),
                **{name: spec.enabled for name, spec in evaluators.items()},
                **{rubric.name: True for rubric in judge.rubrics},
            },
            allow=labels.allow,
            reported={problem.where for problem in self.problems},
            wrong=self._wrong,
            odd=self._odd,
        )

    def _write_enabled(self, slos: tuple[Slo, ...]) -> None:
        """Write down what is off, so that the config in effect says so and can be read again."""
        for name in {slo.name for slo in DEFAULT_SLOS} - {slo.name for slo in slos}:
            self._written["slos"][name]["enabled"] = False


@cache
def _defaults() -> Part:
    return read(DEFAULT_FILE)[0]


def _merged(under: Any, over: Any) -> Any:
    """Mappings merged key by key, ``over`` first; anything else replaced. Patterns of models keep their own order."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return {
        key: _merged(under[key], over[key]) if key in over and key in under else over.get(key, under.get(key))
        for key in [*under, *(key for key in over if key not in under)]
    }
