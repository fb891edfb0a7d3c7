"""The runbooks, one for each alert: beside the package in a checkout, under share/llmq where it is installed."""

import sys
from functools import cache
from pathlib import Path
from typing import Final

from ..rules.files import DEFAULT_SETTINGS, RuleSettings

_WRITTEN: Final = DEFAULT_SETTINGS
"""What the runbooks are written with."""
_FOLDERS = (Path(__file__).parents[2] / "alerts" / "runbooks", Path(sys.prefix) / "share" / "llmq" / "runbooks")


def text(alert: str, settings: RuleSettings) -> str | None:
    """An alert's runbook with the links and the job of the config; None where there is none."""
    found = runbooks().get(alert.removesuffix(".md"))
    if found is None:
        return None
    links = settings.links
    said = found.read_text("utf-8")
    for written, own in ((_WRITTEN.links.grafana, links.grafana), (_WRITTEN.links.answers, links.answers)):
        said = said.replace(written, own.rstrip("/"))
    return said.replace(f'job="{_WRITTEN.job}"', f'job="{settings.job}"')


@cache
def runbooks() -> dict[str, Path]:
    """The file of each alert's runbook, by the alert's name; none where they were not installed."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*.md"))} if folder else {}
