"""Reviewed cases → the data sets that evaluation tools read, each case once, with its provenance. Knows no HTTP."""

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from typing import Any, Final

import msgspec
import yaml

from ..offline.likeness import signature
from ..runtime import mismatch
from .reviewed import Reviewed


def _read(name: str) -> str:
    return files(__package__).joinpath("assertions", f"{name}.js").read_text("utf-8")


_TEMPLATE: Final = re.compile(r"\{(?=[{%#])")
_HOLDS: Final = {name: f"{_read('words')}{_read(name)}" for name in ("expected", "rejected")}
"""What must hold of an answer, as promptfoo's assertions in JavaScript; promptfoo renders them as templates, too."""
_reviewed: Final = msgspec.json.Decoder(Reviewed)


class NotReviewedError(ValueError):
    """A line that is no reviewed case."""


def cases(lines: bytes) -> list[Reviewed]:
    """The cases of an answer, the newest of those with the same words in their question; raises NotReviewedError."""
    found: dict[bytes, Reviewed] = {}
    for number, line in enumerate(lines.splitlines(), 1):
        try:
            one = _reviewed.decode(line)
        except msgspec.ValidationError:
            what = mismatch.of_json(line, Reviewed)
            told = f"line {number} is not a reviewed case: {what}; is the server of this version?"
            raise NotReviewedError(told) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise NotReviewedError(f"line {number} is not JSON: the answer broke off, try again") from None
        key = one.app.encode() + b"\x00" + (signature(one.evidence.question) or one.trace_id.encode())
        if key not in found or found[key].reviewed_at <= one.reviewed_at:
            found[key] = one
    return sorted(found.values(), key=lambda one: (one.reviewed_at, one.trace_id))


def jsonl(found: Iterable[Reviewed]) -> Iterator[bytes]:
    """Rows that ``llmq eval`` reads: what people found right is ``expected``, what they failed ``rejected``."""
    for one in found:
        yield _line(
            {
                "id": one.trace_id,
                "input": one.evidence.question,
                "output": one.evidence.answer,
                "context": [{"id": source.id, "text": source.text} for source in one.evidence.context],
                "app": one.app,
                "route": one.route,
                "expected": one.good,
                "rejected": one.bad,
                "metadata": one.provenance,
            }
        )


def inspect(found: Iterable[Reviewed]) -> Iterator[bytes]:
    """Samples for Inspect's ``json_dataset``; the target is empty where nobody wrote a right answer."""
    for one in found:
        yield _line(
            {
                "id": one.trace_id,
                "input": one.evidence.question,
                "target": one.good or "",
                "metadata": {
                    **one.provenance,
                    "context": _texts(one),
                    "answer": one.evidence.answer,
                    "rejected": one.bad or "",
                },
            }
        )


def openai(found: Iterable[Reviewed]) -> Iterator[bytes]:
    """Items for the OpenAI Evals API: one {"item": {…}} a line, to be used with a file_content data source."""
    for one in found:
        item = {
            "input": one.evidence.question,
            "answer": one.evidence.answer,
            "ideal": one.good or "",
            "context": "\n\n".join(_texts(one)),
        }
        yield _line({"item": {**item, "metadata": one.provenance}})


def promptfoo(found: Iterable[Reviewed]) -> Iterator[bytes]:
    """Tests for promptfoo, as YAML; to use: ``tests: file://FILE.yaml`` and {{question}}, {{context}} in a prompt.

    Each test asserts what must hold, without a model: the answer has the words and numbers of the right one, and is no
    longer the one that people failed. A model-graded assertion is the user's to add.
    """
    tests = [
        {
            "description": f"llmq {one.trace_id}",
            "vars": {name: _plain(value) for name, value in _vars(one).items()},
            "assert": _assertions(one),
            "metadata": one.provenance,
        }
        for one in found
    ]
    yield yaml.safe_dump(tests, allow_unicode=True, sort_keys=False, width=120).encode() if tests else b"[]\n"


FORMATS: Final[dict[str, Callable[[Iterable[Reviewed]], Iterator[bytes]]]] = {
    "jsonl": jsonl,
    "promptfoo": promptfoo,
    "inspect": inspect,
    "openai": openai,
}


def _assertions(one: Reviewed) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if one.good:
        found.append({"type": "javascript", "metric": "expected", "value": _HOLDS["expected"]})
    if one.bad:
        found.append({"type": "javascript", "metric": "rejected", "value": _HOLDS["rejected"]})
    return found


def _vars(one: Reviewed) -> dict[str, str]:
    return {
        "question": one.evidence.question,
        "context": "\n\n".join(_texts(one)),
        "answer": one.evidence.answer,
        "reference": one.good or "",
        "rejected": one.bad or "",
    }


def _plain(text: str) -> str:
    """promptfoo renders variables as templates: what a user wrote must not be one."""
    return _TEMPLATE.sub('{{ "{" }}', text)


def _texts(one: Reviewed) -> list[str]:
    return [source.text for source in one.evidence.context]


def _line(row: dict[str, Any]) -> bytes:
    return msgspec.json.encode(row) + b"\n"
