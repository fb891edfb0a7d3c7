"""A folder of generated files against what they should be: what differs, and setting it right. Knows no contents.

Files that a command of llmq made and marked are its own to replace and remove; files of others are left alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

State = Literal["same", "changed", "missing", "stale", "foreign"]


class GeneratedKind(Struct, frozen=True):
    """What one command makes: files with names like ``pattern``, which begin with ``mark``."""

    pattern: str
    mark: str


class GeneratedFile(Struct, frozen=True):
    """A file, how it stands to what it should be, and the text that it should have.

    ``stale``: of an earlier run and no longer needed. ``foreign``: in the way, and not made by the command.
    """

    path: Path
    state: State
    text: str = ""


def compared(folder: Path, wanted: Mapping[str, str], kind: GeneratedKind) -> list[GeneratedFile]:
    """Each file of ``wanted`` (texts by name), and each stale one, in the order of their names; OSError as reading."""
    mark = kind.mark.encode()
    found = [_compared(folder / name, text, mark) for name, text in wanted.items()]
    stale = [
        GeneratedFile(path, "stale")
        for path in folder.glob(kind.pattern)
        if path.name not in wanted and path.read_bytes().startswith(mark)
    ]
    return sorted([*found, *stale], key=lambda file: file.path)


def _compared(path: Path, text: str, mark: bytes) -> GeneratedFile:
    try:
        present = path.read_bytes()
    except FileNotFoundError:
        return GeneratedFile(path, "missing", text)
    if present == text.encode():
        return GeneratedFile(path, "same", text)
    return GeneratedFile(path, "changed" if present.startswith(mark) else "foreign", text)


def in_the_way(files: Sequence[GeneratedFile], command: str) -> list[str]:
    """What stands where ``command`` would write and is not its own."""
    return [
        f"{file.path}: was not made by {command}: move it, or choose another --output"
        for file in files
        if file.state == "foreign"
    ]


def differences(files: Sequence[GeneratedFile], command: str) -> list[str]:
    """What is not as ``command`` would make it."""
    wrong = {"changed": "differs from what the config makes", "missing": "is missing", "stale": "is no longer needed"}
    return [f"{file.path}: {wrong[file.state]}: run {command}" for file in files if file.state in wrong]


def settle(file: GeneratedFile) -> str:
    """Write a file that is changed or missing, whole or not at all; remove one that is stale; OSError as writing.

    Returns what was done, in one word.
    """
    if file.state == "stale":
        file.path.unlink()
        return "removed"
    if file.state not in ("changed", "missing"):
        return "unchanged"
    file.path.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.path.with_name(f".{file.path.name}.new")
    fresh.write_text(file.text, encoding="utf-8")
    fresh.replace(file.path)
    return "written"
