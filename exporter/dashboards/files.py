"""The dashboard files: SLOs → the text of every file. The one place that knows which file holds which dashboard."""

import json
from collections.abc import Sequence
from typing import Final

from ..rules.files import DEFAULT_SETTINGS, RuleSettings
from ..rules.folder import GeneratedKind
from ..rules.slo import DEFAULT_SLOS, Slo
from .feedback import feedback_review
from .grafana import Dashboard, document
from .judge import judge_health
from .offline import offline_online
from .overview import overview
from .places import placed
from .process import exporter_health
from .slo import slo_detail
from .versions import version_compare

KIND: Final = GeneratedKind("*.json", '{\n  "uid": "llmq-')


def dashboards(slos: Sequence[Slo], settings: RuleSettings) -> dict[str, Dashboard]:
    """The dashboard of each file, by file name, in the order of the links."""
    found = {
        "overview.json": overview(slos, settings.links),
        "slo.json": slo_detail(slos, settings.links),
        "versions.json": version_compare(slos, settings),
        "offline.json": offline_online(settings),
        "judge.json": judge_health(),
        "feedback.json": feedback_review(),
        "exporter.json": exporter_health(slos),
    }
    return {name: placed(board, settings.extra_labels, settings.selector) for name, board in found.items()}


def render(slos: Sequence[Slo] = DEFAULT_SLOS, settings: RuleSettings = DEFAULT_SETTINGS) -> dict[str, str]:
    """The text of each dashboard file, by file name."""
    found = dashboards(slos, settings)
    others = list(found.values())
    return {name: json.dumps(document(board, others), indent=2) + "\n" for name, board in found.items()}
