"""A folder of rule files against what they should be: what differs, and setting it right. Knows no rule.

Files that ``llmq rules`` made and marked are its own to replace and remove; files of others are left alone.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from msgspec import Struct

from .rulefile import MARK

State = Literal["same", "changed", "missing", "stale", "foreign"]


class RuleFile(Struct, frozen=True):
    """A file, how it stands to what it should be, and the text that it should have.

    ``stale``: of an earlier run and no longer needed. ``foreign``: in the way, and not made by ``llmq rules``.
    """

    path: Path
    state: State
    text: str = ""


def compared(folder: Path, wanted: Mapping[str, str]) -> list[RuleFile]:
    """Each file of ``wanted`` (texts by name), and each stale one, in the order of their names; OSError as reading."""
    found = [_compared(folder / name, text) for name, text in wanted.items()]
    return sorted([*found, *_stale(folder, wanted)], key=lambda file: file.path)


def _compared(path: Path, text: str) -> RuleFile:
    try:
        present = path.read_bytes()
    except FileNotFoundError:
        return RuleFile(path, "missing", text)
    if present == text.encode():
        return RuleFile(path, "same", text)
    return RuleFile(path, "changed" if present.startswith(MARK.encode()) else "foreign", text)


def _stale(folder: Path, wanted: Mapping[str, str]) -> Iterator[RuleFile]:
    for path in folder.glob("*.rules.yaml"):
        if path.name not in wanted and path.read_bytes().startswith(MARK.encode()):
            yield RuleFile(path, "stale")


def settle(file: RuleFile) -> None:
    """Write a file that is changed or missing, whole or not at all; remove one that is stale; OSError as writing."""
    if file.state == "stale":
        file.path.unlink()
    elif file.state in ("changed", "missing"):
        file.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.path.with_name(f".{file.path.name}.new")
        fresh.write_text(file.text, encoding="utf-8")
        fresh.replace(file.path)
