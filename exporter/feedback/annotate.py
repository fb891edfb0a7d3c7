"""Adds a signal to the document of its trace: new, repeated, or a correction. Pure; counts nothing."""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

Source = Literal["explicit", "derived"]
Outcome = Literal["joined", "corrected", "repeated", "surplus"]
"""Counted; counted, and an earlier signal retracted; said before; one too many for this trace."""

MOST_SIGNALS: Final = 100
"""Signals that one document holds; more of one answer are no users but a script."""
_MOST_CHANGES: Final = 20
_RATINGS: Final = ("thumbs_up", "thumbs_down")


class Said(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signal as a document shows it; ``at`` is Unix seconds.

    ``user`` is a digest. ``after`` is what an abandoned conversation ended with. ``was`` is what the user had said
    before a correction, and ``changes`` how often they changed their mind.
    """

    signal: str
    source: Source
    at: float
    user: str = ""
    after: str = ""
    was: str = ""
    changes: int = 0
    comment: str | None = None
    edited_text: str | None = None
    edit_ratio: float | None = None


class Annotated(Struct, frozen=True):
    """The outcome for a signal; ``retracted`` is the signal it corrects, ``edit_ratio`` is set where it is new."""

    outcome: Outcome
    retracted: str = ""
    edit_ratio: float | None = None


def annotate(document: dict[str, Any], said: Said) -> Annotated:
    """Add a signal to a document.

    Each user counts once per signal and answer, and has one rating: the last one. All signals without a user count as
    one user's.
    """
    signals = [msgspec.convert(one, Said) for one in document["feedback"]]
    at = next((at for at, one in enumerate(signals) if _is_same(one, said)), None)
    if at is None:
        if len(signals) >= MOST_SIGNALS:
            return Annotated("surplus")
        signals.append(said)
        done = Annotated("joined", edit_ratio=said.edit_ratio)
    elif signals[at].signal == said.signal:
        new_ratio = said.edit_ratio if signals[at].edit_ratio is None else None
        signals[at] = _amended(signals[at], said)
        done = Annotated("repeated", edit_ratio=new_ratio)
    elif signals[at].changes >= _MOST_CHANGES:
        return Annotated("surplus")
    else:
        done = Annotated("corrected", retracted=signals[at].signal)
        signals[at] = replace(said, was=signals[at].signal, changes=signals[at].changes + 1)
    document["feedback"] = msgspec.to_builtins(signals)
    return done


def _is_same(before: Said, said: Said) -> bool:
    if (before.source, before.user) != (said.source, said.user):
        return False
    return before.signal == said.signal or (before.signal in _RATINGS and said.signal in _RATINGS)


def _amended(before: Said, said: Said) -> Said:
    """A click first and the comment later are one signal."""
    return replace(
        before,
        comment=said.comment or before.comment,
        edited_text=before.edited_text if said.edited_text is None else said.edited_text,
        edit_ratio=before.edit_ratio if said.edit_ratio is None else said.edit_ratio,
    )
