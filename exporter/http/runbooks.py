"""The runbooks, one for each alert: beside the package in a checkout, under share/llmq where it is installed."""

import sys
from functools import cache
from pathlib import Path

_FOLDERS = (Path(__file__).parents[2] / "alerts" / "runbooks", Path(sys.prefix) / "share" / "llmq" / "runbooks")


@cache
def runbooks() -> dict[str, Path]:
    """The file of each alert's runbook, by the alert's name; none where they were not installed."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*.md"))} if folder else {}
