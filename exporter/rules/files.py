"""The rule files: SLOs and a few settings → the text of every file. The one place that knows which file holds what."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from . import burn, compare, goodhart, health, judge, routes
from .counts import Steps
from .folder import GeneratedKind
from .rulefile import MARK, Form, Group, Links, text
from .scope import Scope
from .slo import DEFAULT_SLOS, Slo


class RuleSettings(Struct, frozen=True, kw_only=True):
    """What a user may change about the rules beside the SLOs.

    ``z`` is the confidence of an SLI's bound, ``comparison_z`` that of a comparison. ``design_effect`` says how many
    answers are worth one independent answer: ``1 + (answers per conversation - 1) * correlation``. ``job`` is the
    scrape job; ``offline_max_age`` (seconds) makes an offline result old. ``steps`` says how often is evaluated what is
    not evaluated at each turn: it must be below the five minutes after which a recorded value is gone. ``extra_labels``
    are labels that Prometheus adds and that tell environments apart; ``selector`` holds matchers for all that is read.
    """

    z: Decimal = Decimal("2.58")
    comparison_z: Decimal = Decimal("3.5")
    design_effect: Decimal = Decimal(1)
    offline_max_age: int = 8 * 86400
    steps: Steps = Steps()
    job: str = "llmq"
    extra_labels: tuple[str, ...] = ("cluster", "namespace", "environment")
    selector: str = ""
    links: Links = Links()

    def widened(self, z: Decimal) -> Decimal:
        """The z statistic that keeps its meaning when answers are not independent."""
        return (z * self.design_effect.sqrt()).quantize(Decimal("0.0001")).normalize()


DEFAULT_SETTINGS: Final = RuleSettings()
KIND: Final = GeneratedKind("*.rules.yaml", MARK)


def groups(slos: Sequence[Slo] = DEFAULT_SLOS, settings: RuleSettings = DEFAULT_SETTINGS) -> dict[str, list[Group]]:
    """The groups of each rule file, by file name."""
    z, comparison_z = settings.widened(settings.z), settings.widened(settings.comparison_z)
    steps = settings.steps
    burns = burn.burn_groups(slos, z, steps)
    files = {
        "slo-objectives.rules.yaml": burn.objectives(slos),
        **{f"slo-{long}.rules.yaml": found for long, found in burns.items()},
        "versions.rules.yaml": _every(
            steps.every, compare.versions(comparison_z, steps), *compare.last_week(slos, comparison_z)
        ),
        "offline.rules.yaml": _every(
            steps.every,
            compare.offline(comparison_z, settings.offline_max_age, steps),
            goodhart.gamed(comparison_z, steps),
        ),
        "judge.rules.yaml": _every(steps.every, *judge.groups(steps)),
        "exporter.rules.yaml": [
            health.usual_scoring(),
            *_every(steps.every, health.scoring()),
            health.exporter(settings.job),
        ],
    }
    scope = Scope(labels=settings.extra_labels, selector=settings.selector)
    files = {name: [scope.group(group) for group in found] for name, found in files.items()}
    return {name: found for name, found in files.items() if any(group.rules for group in found)}


def _every(interval: str, *found: Group) -> list[Group]:
    return [replace(group, interval=interval) for group in found]


def render(
    slos: Sequence[Slo] = DEFAULT_SLOS, settings: RuleSettings = DEFAULT_SETTINGS, form: Form = "file"
) -> dict[str, str]:
    """The text of each rule file, and of the routes for Alertmanager, by file name."""
    files = {
        name: text(found, settings.links, f"llmq-{name.removesuffix('.rules.yaml')}", form)
        for name, found in groups(slos, settings).items()
    }
    return {**files, routes.FILE: routes.text(settings.extra_labels)}
