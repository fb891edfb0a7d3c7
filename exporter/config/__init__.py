"""One YAML file → Config: strict, every error at once with file and line; the defaults where there is no file.

configfile   YAML → values that remember their line and name
shape        validates a file against its JSON schema, with messages of our own
meaning      checks across values: contradictions, secrets, evaluators
specs        the section ``evaluators``
objectives   the sections ``slos`` and ``alerting``
judging      the section ``judge``
judge_request the section ``judge.request``
rubrics      a rubric's YAML file → a Rubric
reviewing    the section ``review``
units        durations, sizes, addresses as people write them
settings     the result: everything that a user decides, parsed and frozen
cardinality  how many series a config can cause
"""

import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from ..evaluators import Registry, installed
from .configfile import ConfigError, Part, Problem, read
from .meaning import ConfigReading
from .settings import Config, Origin
from .shape import check

__all__ = ["Config", "ConfigError", "Problem", "load", "reload", "to_yaml"]


def load(
    path: Path | None = None,
    *,
    listen: str | None = None,
    store: str | None = None,
    environ: Mapping[str, str] = os.environ,
    registry: Registry | None = None,
) -> Config:
    """Read a config, or the defaults; ``listen`` and ``store`` win over the file. ConfigError has everything wrong."""
    origin = Origin(path=path, listen=listen, store=store)
    root, problems = read(path) if path else (Part({}, 1, "$"), [])
    file = str(path or "defaults")
    problems += check(root, file)
    _put(root, file, problems, "server", "listen", listen)
    _put(root, file, problems, "store", "url", store)
    reading = ConfigReading(root, file, problems, environ, registry or installed())
    config = reading.config(origin)
    if problems:
        raise ConfigError(problems)
    return config


def reload(config: Config) -> Config:
    """Read the same file again under the same flags; ConfigError as ``load``."""
    return load(config.origin.path, listen=config.origin.listen, store=config.origin.store)


def to_yaml(config: Config) -> str:
    """The config in effect, as one would write it; secrets are named by where they are kept and never shown."""
    return yaml.safe_dump(config.written, sort_keys=False, allow_unicode=True)


def _put(root: Part, file: str, problems: list[Problem], section: str, key: str, value: str | None) -> None:
    """Let a flag win over the file: in the values themselves, so that it is checked like anything written there."""
    if value is None:
        return
    parts = root.value.setdefault(section, Part({}, 0, f"$.{section}"))
    parts.value[key] = Part(value, 0, f"--{'listen' if section == 'server' else 'store'}")
    problems += check(root, file)
