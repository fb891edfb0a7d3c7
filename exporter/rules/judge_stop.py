"""Alerts on a judge that gives no verdict at all, or that fell below its gate."""

from typing import Final

from ..model.stops import CURES
from .rulefile import Alert
from .templates import matchers, query

_JUDGE: Final = ("evaluator", "evaluator_version")


def stopped() -> Alert:
    """A judge version is stopped: nothing is judged by it until somebody mends what its reason names."""
    replied = query(f"llmq_judge_replied_info{matchers(_JUDGE)}", _JUDGE)
    return Alert(
        name="LLMQualityJudgeStopped",
        expr="max by (evaluator, evaluator_version, reason) (max_over_time(llmq_judge_stopped[5m])) > 0",
        severity="ticket",
        pending="5m",
        summary="The judge gives no verdict whatever it is asked, and is asked only now and then",
        description=(
            "{{ $labels.evaluator }} {{ $labels.evaluator_version }} is stopped ({{ $labels.reason }})"
            f"{{{{ with {replied} }}}}; its model replies as "
            f'"{{{{ (. | first).Labels.model }}}}"{{{{ end }}}}. {_cures()}'
        ),
        dashboard="llmq-judge",
        variables=("evaluator",),
    )


def fallen() -> Alert:
    """A judge version that was admitted is surely below its gate now."""
    return Alert(
        name="LLMQualityJudgeFallen",
        expr="max by (evaluator, evaluator_version) (max_over_time(llmq_judge_fallen[5m])) > 0",
        severity="ticket",
        pending="5m",
        summary="A judge that was admitted agrees with people less than its gate asks for",
        description=(
            "{{ $labels.evaluator }} {{ $labels.evaluator_version }} said otherwise of anchors that were asked again, "
            "and its agreement with people is surely below the gate. Unless judge.gate.fallen is alert, its verdicts "
            "no longer count."
        ),
        dashboard="llmq-judge",
        variables=("evaluator",),
    )


def _cures() -> str:
    """A template: the cure of the reason."""
    first, *others = [f'eq $labels.reason "{reason}" }}}}{_sentence(cure)}' for reason, cure in CURES.items()]
    return "{{ if " + "".join([first, *(f"{{{{ else if {other}" for other in others)]) + "{{ end }}."


def _sentence(cure: str) -> str:
    return f"{cure[0].upper()}{cure[1:]}"
