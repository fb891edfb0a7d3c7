"""A signal of a user, feedback that waits for its trace, and the last turn of a conversation."""

from typing import Literal

from msgspec import Struct

Signal = Literal["thumbs_up", "thumbs_down", "regenerate", "edit", "abandon", "copy"]
By = Literal["trace", "response", "conversation"]
"""What a signal names its answer by."""
Trouble = Literal["refusal", "empty", "error", "cancelled", "repeated", "rephrase", "gave_up"]
"""Why a conversation that ends with this turn was abandoned.

repeated: asked again, the answer was the same; rephrase: asked for the third time in other words; gave_up: the user
said so.
"""


class Feedback(Struct, frozen=True, kw_only=True):
    """One signal of a user on one answer.

    ``by`` and ``reference`` name the answer; ``user`` and ``id`` are digests, "" where they were not sent.
    """

    signal: Signal
    by: By
    reference: str
    user: str = ""
    id: bytes = b""
    comment: str | None = None
    edited_text: str | None = None

    @property
    def size(self) -> int:
        """Approximate memory in bytes."""
        return 512 + len(self.reference) + len(self.comment or "") + len(self.edited_text or "")


class EarlyFeedback(Struct, frozen=True, kw_only=True):
    """A signal, when it came, when to look for its trace again, and the trace that it is about if nothing newer comes.

    Times are Unix seconds.
    """

    feedback: Feedback
    received_at: float
    look_at: float
    trace_id: bytes | None = None


class QuestionSketch(Struct, frozen=True, array_like=True):
    """A user's text as far as it must be known to compare it with the next one: never the text.

    ``same`` is a checksum of the text but for case, accents, spaces and punctuation, ``bag`` of its words in any order,
    ``order`` of its content in order. ``content`` and ``weak`` have 16 bits of each distinct word that matters (and
    that one of two questions may lack), ``values`` of its numbers and the like, in order.
    """

    same: int
    bag: int
    order: int
    marks: int
    length: int
    content: bytes
    weak: bytes
    values: bytes


class Turn(Struct, frozen=True, array_like=True):
    """One question and its answer; times are Unix seconds, None where the trace did not tell them.

    ``said`` is a checksum of the answer, 0 without one; ``asks_back``: it ends with a question. ``again``: how often in
    a row the user had asked in other words.
    """

    trace_id: bytes
    where: tuple[str, str, str, str]
    started_at: float | None
    ended_at: float | None
    question: QuestionSketch | None
    trouble: Trouble | None = None
    said: int = 0
    asks_back: bool = False
    again: int = 0
