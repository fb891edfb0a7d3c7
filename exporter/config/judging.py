"""The ``judge`` section of a config → a JudgeSettings. Knows prices and rubric files; calls nobody."""

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ..judge import anchors
from ..judge.budget import Cap, Caps, Tariff
from ..judge.endpoint import Endpoint, Pin
from ..judge.gate import GateLimits as Gate
from ..judge.rubric import Rubric
from ..judge.sampling import SamplingRule, Targeted
from ..runtime.mismatch import closest
from ..runtime.os_errors import why
from . import rubrics, units
from .configfile import ConfigError, Part, Problem
from .judge_request import JudgeRequest, request
from .settings import Anchors, Emit, JudgeSettings, Price, Secret

Report = Callable[[Part, str], None]

_MICROS: Final = 1_000_000
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULTS: Final = JudgeSettings()


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the section is read with: the rest of the config, and who takes what is wrong (``wrong``) or odd.

    ``secret`` reads the secret that a mapping with "env" or "file" names, "" where it reported why it cannot.
    """

    folder: Path
    prices: Sequence[Price]
    evaluators: Collection[str]
    reported: Collection[str]
    secret: Callable[[Part], str]
    wrong: Report
    odd: Report
    problem: Callable[[Problem], None]


class JudgeSection:
    """The section while it is parsed."""

    def __init__(self, section: Part, around: Surroundings) -> None:
        self._section, self._around = section, around

    def settings(self) -> JudgeSettings:
        """What the judge is, costs and judges; of use only where nothing was reported wrong."""
        given = self._given(enabled=bool, concurrency=int, attempts=int, repeat=float, traffic=int)
        found, rules = self._rubrics()
        asked = request(self._section.find("request"), self._kept_secret, self._around.wrong)
        settings = JudgeSettings(
            **given,
            endpoint=self._endpoint(asked),
            api_key=self._secret("api_key"),
            headers=asked.headers,
            caps=self._caps(),
            ledger=str(self._value("budget", "ledger") or _DEFAULTS.ledger),
            rubrics=found,
            rules=rules,
            targeted=self._targeted(found),
            anchors=self._anchors(),
            gate=self._gate(),
            emit=self._emit(),
        )
        if settings.enabled:
            self._check_running(settings)
        return replace(settings, tariff=self._tariff(settings))

    def _part(self, *keys: str) -> Part:
        return self._section.find(*keys) or self._section

    def _value(self, *keys: str) -> Any:
        part = self._section.find(*keys)
        return None if part is None else part.plain()

    def _given(self, *keys: str, **parsers: Callable[[Any], Any]) -> dict[str, Any]:
        values = self._value(*keys) or {}
        return {name: parse(values[name]) for name, parse in parsers.items() if name in values}

    def _secret(self, *keys: str) -> Secret | None:
        part = self._section.find(*keys)
        return None if part is None or not part.value else self._kept_secret(part)

    def _kept_secret(self, part: Part) -> Secret | None:
        secret = self._around.secret(part)
        if secret and not secret.isascii():
            self._around.wrong(part, "the secret has characters that no HTTP header can hold: make a new one")
        return Secret(secret) if secret else None

    def _endpoint(self, asked: JudgeRequest) -> Endpoint:
        pin = self._given("pin", models=tuple, fingerprints=tuple)
        reject = self._value("pin", "mismatch") != "count"
        given = self._given(endpoint=str, model=str, timeout=units.duration, max_tokens=int, seed=int)
        names = {"url": given.pop("endpoint", ""), "model": given.pop("model", "")}
        return Endpoint(**names, **{**given, **asked.parameters}, pin=Pin(**pin, reject=reject))

    def _check_running(self, settings: JudgeSettings) -> None:
        """What a judge that is enabled cannot do without."""
        endpoint, wrong, odd = settings.endpoint, self._around.wrong, self._around.odd
        for name, value, example in (("endpoint", endpoint.url, "http://HOST/v1"), ("model", endpoint.model, "a name")):
            if not value and f"$.judge.{name}" not in self._around.reported:
                wrong(self._section, f'"{name}" is missing: give it ({example}), or set enabled to false')
        if endpoint.model and endpoint.pin.models and endpoint.model not in endpoint.pin.models:
            odd(self._part("pin", "models"), f'does not list the model itself ("{endpoint.model}")')
        if not settings.rubrics:
            odd(self._section, "no rubric is enabled, so nothing is judged")
        address = urlsplit(endpoint.url)
        if settings.api_key and any(name.lower() == "authorization" for name in settings.headers):
            wrong(self._part("api_key"), "is the header Authorization, which request.headers has, too: keep one")
        if (settings.api_key or settings.headers) and address.scheme == "http" and address.hostname not in _LOOPBACK:
            odd(self._part("endpoint"), "the API key crosses the network unencrypted: use https")
        if endpoint.url and address.username:
            wrong(self._part("endpoint"), "has a user name in it: say in api_key where the secret is")
        if settings.rubrics and settings.anchors.file is None:
            odd(self._part("anchors"), "no anchor set: the judge is neither calibrated nor gated; name a file")

    def _caps(self) -> Caps:
        hour, day = self._cap("hour"), self._cap("day")
        for name in ("tokens", "micros"):
            of_hour, of_day = getattr(hour, name), getattr(day, name)
            if of_hour is not None and of_day is not None and of_hour > of_day:
                self._around.odd(self._part("budget", "hour"), "has no effect: the limit of a day is lower")
        return Caps(hour=hour, day=day, **self._given("budget", set_aside=float))

    def _cap(self, span: str) -> Cap:
        """The limits of a span; one that is given replaces the default, of whatever unit that is."""
        default: Cap = getattr(_DEFAULTS.caps, span)
        values = self._value("budget", span)
        if not values:
            return default
        micros = int(Decimal(str(values["dollars"])) * _MICROS) if "dollars" in values else None
        return Cap(tokens=values.get("tokens"), micros=micros)

    def _tariff(self, settings: JudgeSettings) -> Tariff:
        model = settings.endpoint.model
        price = next((one for one in self._around.prices if fnmatchcase(model, one.model)), None)
        if price is not None:
            return Tariff.of(price.input, price.output)
        for span, cap in (("hour", settings.caps.hour), ("day", settings.caps.day)):
            if cap.micros is not None and model and settings.enabled:
                message = f'the model "{model}" has no price: add one to prices, or limit tokens instead'
                self._around.wrong(self._part("budget", span, "dollars"), message)
        return Tariff()

    def _rubrics(self) -> tuple[tuple[Rubric, ...], dict[str, tuple[SamplingRule, ...]]]:
        """The enabled rubrics, and for each where and how often it judges."""
        found: list[Rubric] = []
        rules: dict[str, tuple[SamplingRule, ...]] = {}
        general = self._rules(self._section.find("sampling")) or _DEFAULTS.sampling
        named = self._section.find("rubrics")
        parts: dict[str, Part | None] = dict.fromkeys(rubrics.shipped()) | (named.value if named else {})
        for name, part in parts.items():
            rubric = self._rubric(name, part)
            own = self._rules(part.find("sampling")) if part else ()
            if rubric is None or (part and part.find("enabled") and not part.value["enabled"].value):
                continue
            found.append(rubric)
            rules[name] = own or general
        return tuple(found), rules

    def _rubric(self, name: str, part: Part | None) -> Rubric | None:
        file = part.find("file") if part else None
        if part is None or file is None:
            rubric = rubrics.shipped().get(name)
            if rubric is None and part is not None and f"{part.where}.file" not in self._around.reported:
                known = closest(name, rubrics.shipped())
                self._around.wrong(part, f'no rubric named "{name}" is built in ({known}): name its file')
            return rubric
        if name in self._around.evaluators:
            self._around.wrong(part or file, f'an evaluator is named "{name}" already: rename the rubric')
        return self._from_file(name, file)

    def _from_file(self, name: str, file: Part) -> Rubric | None:
        try:
            rubric = rubrics.rubric(self._around.folder / file.value)
        except ConfigError as error:
            for problem in error.problems:
                self._around.problem(problem)
            return None
        except ValueError:
            self._around.wrong(file, "is not a file name: name the rubric's YAML file")
            return None
        if rubric.name != name:
            self._around.wrong(file, f'holds the rubric "{rubric.name}": give both one name')
        return rubric

    def _rules(self, section: Part | None) -> tuple[SamplingRule, ...]:
        globs = ("apps", "routes", "models", "environments")
        found = [msgspec.convert(part.plain(), SamplingRule) for part in section.value] if section else []
        everywhere = [n for n, rule in enumerate(found) if all(getattr(rule, name) == ("*",) for name in globs)]
        if section and everywhere and everywhere[0] + 1 < len(found):
            message = f"is never reached: rule {everywhere[0]} matches everywhere; put the others first"
            self._around.odd(section.find(everywhere[0] + 1) or section, message)
        return tuple(found)

    def _targeted(self, found: tuple[Rubric, ...]) -> Targeted:
        given = self._given("targeted", rate=float, failed=tuple, near=float, feedback=bool)
        known = {*self._around.evaluators, *(one.name for one in found)}
        listed = self._section.find("targeted", "failed")
        for part in listed.value if listed else ():
            if part.value not in self._around.evaluators:
                message = f'no evaluator is named "{part.value}"; {closest(part.value, self._around.evaluators)}'
                if part.value in known:
                    message = "is judged itself: name evaluators that run on every trace"
                self._around.wrong(part, message)
        return Targeted(**given)

    def _anchors(self) -> Anchors:
        given = self._given("anchors", per_hour=float)
        file = self._section.find("anchors", "file")
        if file is None:
            return Anchors(**given)
        path = self._around.folder / file.value
        try:
            with path.open("rb") as lines:
                return Anchors(file=path, cases=anchors.read(lines, str(path)), **given)
        except anchors.AnchorsError as error:
            for line, message in error.problems[: anchors.MOST_ERRORS]:
                self._around.problem(Problem(str(path), line, "anchor", message))
        except (OSError, ValueError) as error:
            reason = why(error) if isinstance(error, OSError) else "not a file name"
            message = f'the file "{file.value}" cannot be read ({reason}): name the JSONL file of the anchor set'
            self._around.wrong(file, message)
        return Anchors(file=path, **given)

    def _gate(self) -> Gate:
        fields = dict.fromkeys(("kappa", "agreement", "margin", "max_unanswered", "confidence"), float)
        return Gate(**self._given("gate", min_cases=int, fallen=str, **fields))

    def _emit(self) -> Emit | None:
        url = self._value("emit", "endpoint")
        if url is None:
            if part := self._section.find("emit", "token"):
                self._around.wrong(part, "has no effect without emit.endpoint: give the endpoint, or leave this out")
            return None
        return Emit(url=url, token=self._secret("emit", "token"), **self._given("emit", queue=int))
