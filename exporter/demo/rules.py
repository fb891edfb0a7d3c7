"""The demo's rules: all that are shipped, and a page on windows so short that one can watch. Knows no processes."""

from typing import Final

from msgspec.structs import replace

from ..config.rubrics import shipped
from ..rules.burn import burn_groups, objectives
from ..rules.counts import Steps
from ..rules.files import DEFAULT_SETTINGS, RuleSettings, render
from ..rules.rulefile import Alert, Group, Links, Record, text
from ..rules.slo import DEFAULT_SLOS, WINDOWS, Slo, VerdictsSli, Window, minutes

FILE: Final = "demo-short-windows.rules.yaml"
_LINE: Final = "sli:llmq_slo_burn_line:ratio"
_INTERVAL: Final = "1s"
STEPS: Final = Steps(length="1m", every="5s")


def short_window(speed: float) -> Window:
    """The page of an hour, on windows that are ``speed`` times shorter than the shipped ones."""
    page = next(each for each in WINDOWS if each.name == "page_1h")
    times = {name: faster(getattr(page, name), speed) for name in ("long", "short", "pending")}
    return replace(page, **times)


def faster(duration: str, speed: float) -> str:
    """A PromQL duration divided by ``speed``, in whole seconds, at least one."""
    return f"{max(1, round(minutes(duration) * 60 / speed))}s"


def files(speed: float, links: Links) -> dict[str, str]:
    """The text of each rule file, by file name."""
    # Nobody waits minutes for a panel of a demo.
    settings = RuleSettings(links=links, steps=STEPS)
    return {**render(settings=settings), FILE: text(_short(speed), links)}


def _short(speed: float) -> list[Group]:
    window = short_window(speed)
    paging = [slo for slo in DEFAULT_SLOS if _is_prompt(slo) and any(e.severity == "page" for e in slo.alerting())]
    slos = [replace(slo, windows=(window,), alerts=(window.name,)) for slo in paging]
    # The objectives themselves are in the shipped files, which are loaded as well.
    lines = [rule for group in objectives(slos) for rule in group.rules if rule.name == _LINE]
    burns = burn_groups(slos, DEFAULT_SETTINGS.z, STEPS)
    rules = [_hurried(rule, speed) for groups in burns.values() for group in groups for rule in group.rules]
    return [Group(name="llmq-demo-short-windows", rules=[*lines, *rules], interval=_INTERVAL)]


def _is_prompt(slo: Slo) -> bool:
    """Whether verdicts come with the trace: a judge and users say too little, too late, for windows so short."""
    return isinstance(slo.measure, VerdictsSli) and slo.measure.evaluator not in shipped()


def _hurried(rule: Record | Alert, speed: float) -> Record | Alert:
    return replace(rule, keep_firing=faster(rule.keep_firing, speed)) if isinstance(rule, Alert) else rule
