"""Result files of evaluation tools → Run: one module for each tool, and the choice among them by what a file holds.

run      what a result file says: cases, verdicts, scores
tables   what pandas writes → rows
promptfoo, inspect, deepeval, ragas, junit   the tools
"""

import csv
import json
import re
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any, Final

import msgspec

from . import deepeval, inspect, junit, promptfoo, ragas
from .run import Marks, NotReadableError, SuiteRun

FORMATS: Final = ("promptfoo", "inspect", "deepeval", "ragas", "junit")
_ZIP: Final = b"PK\x03\x04"
_NO_NUMBER: Final = re.compile(rb"\b(?:NaN|Infinity)\b")


def read(
    content: bytes, *, pass_mark: float, tool: str | None = None, named: Mapping[str, float] | None = None
) -> SuiteRun:
    """Read a result file of a tool, or of the one that it looks like; raises NotReadableError.

    ``pass_mark`` (0 to 1) is for the tools that give scores without verdicts, Inspect and Ragas; ``named`` are scores
    with a mark of their own, on whatever scale.
    """
    if tool == "junit" or (tool is None and junit.is_ours(content)):
        found = junit.read(content)
    else:
        document = _document(content)
        tool = tool or _recognised(document)
        found = _by_tool(tool, document, Marks(pass_mark, named or {}))
    if not found.counted:
        raise NotReadableError(f"no verdict in the {found.tool} results: every case was skipped or broke off")
    return found


def _by_tool(tool: str, document: Any, marks: Marks) -> SuiteRun:
    readers: dict[str, tuple[Callable[[Any], bool], Callable[[], SuiteRun]]] = {
        "promptfoo": (promptfoo.is_ours, lambda: promptfoo.read(document)),
        "inspect": (inspect.is_ours, lambda: inspect.read(document, marks)),
        "deepeval": (deepeval.is_ours, lambda: deepeval.read(document)),
        "ragas": (ragas.is_ours, lambda: ragas.read(document, marks)),
    }
    is_ours, read_it = readers[tool]
    if not is_ours(document):
        raise NotReadableError(f"not a result file of {tool}")
    return read_it()


def _recognised(document: Any) -> str:
    for name, module in (("promptfoo", promptfoo), ("inspect", inspect), ("deepeval", deepeval), ("ragas", ragas)):
        if module.is_ours(document):
            return name
    raise NotReadableError(f"not a result file of any of {', '.join(FORMATS)}; name it by --format if it is one")


def _document(content: bytes) -> Any:
    """JSON, rows of JSON, or rows of CSV with a heading."""
    if content.startswith(_ZIP):
        raise NotReadableError("packed; convert it with inspect log convert --to json, and push what that writes")
    try:
        return _json(content)
    except (ValueError, RecursionError):
        pass
    lines = [line for line in content.splitlines() if line.strip()]
    try:
        return [_json(line) for line in lines]
    except (ValueError, RecursionError):
        return _csv(content)


def _json(content: bytes) -> Any:
    """What JSON says; the ``NaN`` and ``Infinity`` that Python's writers put where there is no number are null."""
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        if not _NO_NUMBER.search(content):
            raise
    return json.loads(content, parse_constant=lambda _: None)


def _csv(content: bytes) -> list[dict[str, Any]]:
    """A row ends where CSV says: not at each of the other signs that Unicode takes for the end of a line."""
    try:
        rows = csv.DictReader(StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    except UnicodeDecodeError:
        raise NotReadableError("neither JSON nor text in UTF-8: convert it, or write it as JSON") from None
    try:
        return [row for row in rows if None not in row]
    except csv.Error:
        where = f"nor CSV from line {max(rows.line_num, 1)} on"
        raise NotReadableError(f"neither JSON nor rows of JSON {where}: write it as JSON") from None
