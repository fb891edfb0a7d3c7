"""Rules over verdicts, scores and feedback → the reasons to queue a trace. Knows no store, no clock and no text."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase

from msgspec import Struct

from ..config.settings import Ask, Reason
from ..judge.sampling import draw
from ..model.score import Verdict


class KnownTrace(Struct, frozen=True, kw_only=True):
    """What is known of a trace so far.

    ``verdicts``: evaluator → verdict, score, pass mark. ``signals``: what its user said or did. ``flipped``: the
    rubrics of which the judge, asked again, said the opposite.
    """

    trace_id: str
    app: str
    route: str
    verdicts: Mapping[str, tuple[Verdict, float, float]] = {}
    signals: Collection[str] = ()
    flipped: Collection[str] = ()


def matching(reasons: Iterable[Reason], known: KnownTrace) -> tuple[Reason, ...]:
    """The reasons that hold, in the order of the config."""
    return tuple(reason for reason in reasons if _holds(reason, known))


def asked_about(reason: Reason, ask: Iterable[Ask], *, has_context: bool) -> tuple[str, ...]:
    """The evaluators whose question is put to people, also where no judge is asked."""
    return tuple(
        one.evaluator
        for one in ask
        if (not reason.ask or one.evaluator in reason.ask) and (has_context or not one.with_context)
    )


def _holds(reason: Reason, known: KnownTrace) -> bool:
    """Everything that the reason asks for; the draw is the judge's, so that what is drawn here is judged, too."""
    verdicts = known.verdicts
    return (
        _any(reason.apps, known.app)
        and _any(reason.routes, known.route)
        and (not reason.failed or _said(reason.failed, "fail", verdicts))
        and (not reason.passed or _said(reason.passed, "pass", verdicts))
        and (not reason.disagree or all(_said(reason.disagree, one, verdicts) for one in ("pass", "fail")))
        and (not reason.near or any(_is_near(verdicts.get(name), reason.within) for name in reason.near))
        and (not reason.flipped or any(name in known.flipped for name in reason.flipped))
        and (not reason.feedback or any(signal in known.signals for signal in reason.feedback))
        and (reason.share >= 1 or draw(known.trace_id) < reason.share)
    )


def _said(names: Iterable[str], verdict: str, verdicts: Mapping[str, tuple[Verdict, float, float]]) -> bool:
    return any(name in verdicts and verdicts[name][0] == verdict for name in names)


def _is_near(said: tuple[Verdict, float, float] | None, within: float) -> bool:
    return said is not None and abs(said[1] - said[2]) <= within + 1e-9


def _any(globs: tuple[str, ...], text: str) -> bool:
    return globs == ("*",) or any(fnmatchcase(text, glob) for glob in globs)
