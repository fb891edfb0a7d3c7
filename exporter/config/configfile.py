"""A YAML file → values that remember their line and name. Knows YAML, and nothing of what any key means."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from ..runtime.os_errors import why

LARGEST_FILE: Final = 1 << 18
_MOST_VALUES: Final = 50_000
_DEEPEST: Final = 30
_TOO_DEEP: Final = f"is nested more than {_DEEPEST} deep: no config needs that"
_BRACKETS: Final = ("{", "[", '"', "'")
_CURES: Final = {
    "\t": "a tab: indent with spaces, never with tabs",
    ":": "a colon inside a value: put the value in quotes",
    "*": "an alias of which there is no anchor, or text that begins with *: put text in quotes",
    "&": "an anchor that is there already, or text that begins with &: put text in quotes",
    "@": "text that begins with @: put it in quotes",
    "`": "text that begins with a back-quote: put it in quotes",
    "%": "text that begins with %: put it in quotes",
    "---": "a second document: keep one in the file",
    "!": "a tag, or text that begins with !: put text in quotes",
}
_LOOK: Final = "look at the indentation, the quotes and the brackets there and above"
_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_SCALARS: Final = yaml.constructor.SafeConstructor()
_CONSTRUCT: Final[dict[str, Callable[[yaml.ScalarNode], Any]]] = {
    _TAG + "str": _SCALARS.construct_scalar,
    _TAG + "timestamp": _SCALARS.construct_scalar,
    _TAG + "null": _SCALARS.construct_yaml_null,
    _TAG + "bool": _SCALARS.construct_yaml_bool,
    _TAG + "int": _SCALARS.construct_yaml_int,
    _TAG + "float": _SCALARS.construct_yaml_float,
}


class Problem(Struct, frozen=True, order=True):
    """One thing that is wrong or odd in a config: file, line (0: none), which part, and what would be right."""

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        file = f"{self.file}:{self.line}" if self.line else self.file
        where = f": {self.where}" if self.line or self.where not in ("$", self.file) else ""
        return f"{file}{where}: {self.message}"


class ConfigError(ValueError):
    """A config that cannot be used; ``problems`` holds everything that is wrong with it, in the order of the lines."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


class Part:
    """A value of the file with its line and its name (``$.server.listen``); a mapping or a list holds Parts."""

    __slots__ = ("line", "value", "where")

    def __init__(self, value: Any, line: int, where: str) -> None:
        self.value, self.line, self.where = value, line, where

    def problem(self, file: str, message: str) -> Problem:
        """A problem with this part; a part that is of no line (such as a flag) stands for itself."""
        return Problem(file if self.line else self.where, self.line, self.where, message)

    def plain(self) -> Any:
        """The value with nothing but JSON's types in it."""
        if isinstance(self.value, dict):
            return {key: part.plain() for key, part in self.value.items()}
        return [part.plain() for part in self.value] if isinstance(self.value, list) else self.value

    def find(self, *steps: str | int) -> "Part | None":
        """The part that keys and indices lead to, or None where one is missing."""
        part = self
        for step in steps:
            try:
                part = part.value[step]
            except (KeyError, IndexError):
                return None
        return part

    def discard(self, child: "Part") -> None:
        """Take a child out of a mapping or list."""
        if isinstance(self.value, dict):
            self.value = {key: part for key, part in self.value.items() if part is not child}
        else:
            self.value = [part for part in self.value if part is not child]


def read(path: Path) -> tuple[Part, list[Problem]]:
    """The file's values, and what is wrong in the parts left out of them; ConfigError where nothing can be read."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError([Problem(str(path), 0, "$", f"cannot be read: {why(error)}")]) from None
    return parse(str(path), content)


def parse(name: str, content: bytes) -> tuple[Part, list[Problem]]:
    """As ``read``, of content that is at hand; ``name`` stands in the problems."""
    reader = _Reader(name)
    try:
        node = yaml.compose(_text(name, content), Loader=yaml.SafeLoader)
        part = reader.part(node, node.start_mark.line + 1, "$") if node else None
        return part or Part({}, 1, "$"), reader.problems
    except RecursionError:
        raise ConfigError([Problem(name, 1, "$", _TOO_DEEP)]) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax_problem(name, content, error)]) from None
    except yaml.reader.ReaderError as error:
        line = content.decode()[: error.position].count("\n") + 1
        message = f"character U+{error.character:04X} is not allowed: take it out"
        raise ConfigError([Problem(name, line, "$", message)]) from None


def _text(name: str, content: bytes) -> str:
    if len(content) > LARGEST_FILE:
        raise ConfigError([Problem(name, 0, "$", f"is larger than {LARGEST_FILE >> 10} KiB: no config is that long")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8"
        raise ConfigError([Problem(name, line, "$", message)]) from None


def _syntax_problem(name: str, content: bytes, error: yaml.MarkedYAMLError) -> Problem:
    """Where YAML cannot be read, and what is usual to stand there; quotes nothing, which may be a secret."""
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    if mark is None:
        return Problem(name, 1, "$", "not YAML")
    text = content.decode("utf-8-sig")
    cure = _cure(text[mark.index :], text[began.index : began.index + 1] if began else "", began)
    return Problem(name, mark.line + 1, "$", f"not YAML from column {mark.column + 1} on: {cure}")


def _cure(after: str, opened: str, began: yaml.Mark | None) -> str:
    """What to look for: ``after`` is the text from there on, ``opened`` what the part begins with that it is in."""
    if began and opened in _BRACKETS:
        return f"is the {opened} of line {began.line + 1}, column {began.column + 1}, closed?"
    return next((cure for start, cure in _CURES.items() if after.startswith(start)), _LOOK)


class _Reader:
    """Turns the nodes of one file into Parts, leaves out what is wrong and notes why; bounded in values and depth."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._values = 0
        self.problems: list[Problem] = []

    def part(self, node: yaml.Node, line: int, where: str, depth: int = 0) -> Part | None:
        self._values += 1
        if self._values > _MOST_VALUES:
            message = f"aliases make more than {_MOST_VALUES} values of this file: write the values out"
            raise ConfigError([Problem(self._name, line, where, message)])
        if depth > _DEEPEST:
            raise ConfigError([Problem(self._name, line, "$", _TOO_DEEP)])
        if isinstance(node, yaml.MappingNode):
            return Part(self._mapping(node, where, depth), line, where)
        if isinstance(node, yaml.SequenceNode):
            return Part(self._sequence(node, where, depth), line, where)
        return self._scalar(node, line, where)

    def _sequence(self, node: yaml.SequenceNode, where: str, depth: int) -> list[Part]:
        items = enumerate(node.value)
        parts = (self.part(one, one.start_mark.line + 1, f"{where}[{i}]", depth + 1) for i, one in items)
        return [part for part in parts if part]

    def _mapping(self, node: yaml.MappingNode, where: str, depth: int) -> dict[str, Part]:
        parts: dict[str, Part] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._key(key_node, line, where)
            if key is None:
                continue
            name = f"{where}.{key}" if _PLAIN_KEY.fullmatch(key) else f'{where}["{key}"]'
            if key in parts:
                self._problem(line, name, f"is set twice, first on line {parts[key].line}: keep one")
                continue
            if part := self.part(value_node, line, name, depth + 1):
                parts[key] = part
        return parts

    def _key(self, node: yaml.Node, line: int, where: str) -> str | None:
        if node.tag == _TAG + "merge":
            self._problem(line, where, '"<<" is not supported: write the keys out')
        elif isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "str":
            return str(node.value)
        else:
            text = f' "{node.value}"' if isinstance(node, yaml.ScalarNode) else ""
            self._problem(line, where, f"the key{text} is not text: put it in quotes")
        return None

    def _scalar(self, node: yaml.Node, line: int, where: str) -> Part | None:
        construct = _CONSTRUCT.get(node.tag)
        if construct is None or not isinstance(node, yaml.ScalarNode):
            tag = node.tag.removeprefix(_TAG)
            self._problem(line, where, f'the tag "{tag}" is not supported: leave it out')
            return None
        try:
            value = construct(node)
        except ValueError:
            value = math.inf
        return Part(math.inf if value != value else value, line, where)  # noqa: PLR0124 - NaN passes every comparison

    def _problem(self, line: int, where: str, message: str) -> None:
        self.problems.append(Problem(self._name, line, where, message))
