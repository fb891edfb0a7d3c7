"""Data sets labelled by others → anchors, by a mapping of their fields. Knows JSONL rows, no data set by name."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Self

import msgspec
from msgspec import Struct

from ..model.score import Verdict
from .anchors import Anchor, AnchorsError, BadLineError

FIELDS: Final = ("id", "question", "answer", "context", "human", "model")
"""What a mapping may name; id, context and model may be missing."""


_TEXT_FIELDS: Final = ("text", "page_content", "content")


class Mapping(Struct, frozen=True, kw_only=True):
    """Where each field of an anchor is in a row ("output.0": the first of a list), and which labels mean what."""

    evaluator: str
    fields: dict[str, str]
    passes: tuple[str, ...]
    fails: tuple[str, ...]
    provenance: str = ""

    @classmethod
    def of(cls, evaluator: str, fields: str, passes: str, fails: str, provenance: str) -> Self:
        """A mapping as it is written on a command line: "question=input,answer=output.0", "1,2"."""
        named = (one.partition("=") for one in fields.split(","))
        return cls(
            evaluator=evaluator,
            fields={name.strip(): path.strip() for name, _, path in named},
            passes=tuple(filter(None, passes.split(","))),
            fails=tuple(filter(None, fails.split(","))),
            provenance=provenance,
        )

    def problems(self) -> list[str]:
        """What is missing or contradicts itself, with the cure."""
        found = [f"names no {name}: add {name}=FIELD" for name in ("question", "answer", "human") if not self.has(name)]
        found += [f"{name} is not one of {', '.join(FIELDS)}" for name in self.fields if name not in FIELDS]
        if not self.passes and not self.fails:
            found.append("says of no label what it means: name those that pass or those that fail")
        if both := sorted(set(self.passes) & set(self.fails)):
            found.append(f"the label {both[0]} passes and fails: name it once")
        return found

    def verdict(self, label: str) -> Verdict | None:
        """What a label means; where only one side is named, every other label is the other side."""
        if label in self.passes or label in self.fails:
            return "pass" if label in self.passes else "fail"
        if self.passes and self.fails:
            return None
        return "fail" if self.passes else "pass"

    def has(self, name: str) -> bool:
        """Whether a field is mapped."""
        return bool(self.fields.get(name))


def imported(lines: Iterable[bytes], mapping: Mapping, source: str) -> Iterator[Anchor]:
    """Anchors of the rows whose label passes or fails; rows with another label (ties, doubts) are left out.

    Raises AnchorsError with every line that has not what the mapping names, once all lines are read.
    """
    problems: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            anchor = _anchor(number, line, mapping)
        except BadLineError as error:
            problems.append((number, str(error)))
            continue
        if anchor is not None:
            yield anchor
    if problems:
        raise AnchorsError(source, problems)


def _anchor(number: int, line: bytes, mapping: Mapping) -> Anchor | None:
    try:
        row = msgspec.json.decode(line, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadLineError("is not a JSON object") from None
    found = {name: _at(row, path) for name, path in mapping.fields.items()}
    label = as_text(found["human"])
    if label == "":
        raise BadLineError(f"has no {mapping.fields['human']}")
    human = mapping.verdict(label)
    if human is None:
        return None
    return Anchor(
        id=as_text(found.get("id")) or str(number),
        evaluator=mapping.evaluator,
        question=_needed(found, "question", mapping),
        answer=_needed(found, "answer", mapping),
        context=_texts(found.get("context")),
        human=human,
        model=as_text(found.get("model")),
        provenance=mapping.provenance,
    )


def as_text(value: Any) -> str:
    """A label or text as it is written in JSON, without quotes; nothing is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _needed(found: dict[str, Any], name: str, mapping: Mapping) -> str:
    text = as_text(found[name])
    if not text:
        raise BadLineError(f"has no {mapping.fields[name]}")
    return text


def _texts(value: Any) -> tuple[str, ...]:
    if value is None or value == "":
        return ()
    return tuple(map(_document, value)) if isinstance(value, list) else (_document(value),)


def _document(value: Any) -> str:
    """The text of a document, which may stand in an object beside its id, as ``llmq review export`` writes it."""
    if isinstance(value, dict):
        text = next((value[name] for name in _TEXT_FIELDS if isinstance(value.get(name), str)), None)
        return as_text(value) if text is None else text
    return as_text(value)


def _at(row: Any, path: str) -> Any:
    """What a dotted path leads to; None where it leads nowhere."""
    for step in path.split("."):
        if isinstance(row, dict):
            row = row.get(step)
        elif isinstance(row, Sequence) and not isinstance(row, str) and step.isdigit() and int(step) < len(row):
            row = row[int(step)]
        else:
            return None
    return row
