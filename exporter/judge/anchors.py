"""The anchor set: cases that people labelled, read strictly, and the drip that has the judge score them again.

Knows no file, no clock and no judge. Answers that share a question are compared with each other, so a set with two
answers to a question, one good and one bad, also measures what the judge likes about length.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from ..model.score import Verdict
from ..runtime import mismatch
from .case import Case

LONGEST_LINE: Final = 8 << 20
"""Bytes of one anchor."""

MOST_ERRORS: Final = 20
"""Errors that are told at once."""

_Name = Annotated[str, Meta(min_length=1)]


class Anchor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A case with what people said of it: ``human``, or a ``score`` in 0..1 from which the pass mark decides.

    ``model`` is who answered; ``provenance`` says who labelled it and where it is from.
    """

    id: _Name
    evaluator: _Name
    question: _Name
    answer: _Name
    context: tuple[str, ...] = ()
    human: Verdict | None = None
    score: Annotated[float, Meta(ge=0, le=1)] | None = None
    model: str = ""
    provenance: str = ""

    def case(self) -> Case:
        """What the judge is shown: nothing of the label."""
        return Case(question=self.question, answer=self.answer, context=self.context, model=self.model)

    def verdict(self, pass_mark: float) -> Verdict:
        """What people said; a bare score passes from the pass mark on."""
        if self.human is not None:
            return self.human
        return "pass" if (self.score or 0.0) >= pass_mark else "fail"

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits of its id and content: an anchor whose text or label was edited is another one."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]


class AnchorsError(ValueError):
    """Lines that are not anchors, all of them; the message holds nothing of their content."""

    def __init__(self, source: str, problems: Sequence[tuple[int, str]]) -> None:
        self.problems = tuple(problems)
        told = [f"{source}, line {line}: {problem}" for line, problem in problems[:MOST_ERRORS]]
        if len(problems) > MOST_ERRORS:
            told.append(f"{source}: and {len(problems) - MOST_ERRORS} more")
        super().__init__("\n".join(told))


class BadLineError(ValueError):
    """What is wrong with one line."""


class Cursor(Struct, frozen=True):
    """Where the drip is: the key it gave last, and when the next anchor is due (Unix seconds)."""

    after: str = ""
    due: float = 0.0


_decoder: Final = msgspec.json.Decoder(Anchor)


def read(lines: Iterable[bytes], source: str) -> tuple[Anchor, ...]:
    """The anchors of a JSONL file, one a line, blank lines aside; AnchorsError names every bad line."""
    found: dict[tuple[str, str], Anchor] = {}
    problems: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            anchor = _decoded(line)
        except BadLineError as error:
            problems.append((number, str(error)))
            continue
        if found.setdefault((anchor.evaluator, anchor.id), anchor) is not anchor:
            problems.append((number, "the same id as on an earlier line: ids are unique for an evaluator"))
    if problems:
        raise AnchorsError(source, problems)
    return tuple(found.values())


def encoded(anchors: Iterable[Anchor]) -> Iterator[bytes]:
    """Anchors as lines of JSONL."""
    yield from (msgspec.json.encode(anchor) + b"\n" for anchor in anchors)


def _decoded(line: bytes) -> Anchor:
    if len(line) > LONGEST_LINE:
        raise BadLineError(f"is longer than {LONGEST_LINE >> 20} MiB: is this JSONL?")
    try:
        anchor = _decoder.decode(line)
    except msgspec.ValidationError:
        raise BadLineError(str(mismatch.of_json(line, Anchor))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadLineError("is not a JSON object") from None
    if anchor.human is None and anchor.score is None:
        raise BadLineError('needs what people said: "human" ("pass" or "fail"), or "score" (0 to 1)')
    return anchor


class Review(Struct, frozen=True, kw_only=True):
    """A case of production that one person labelled."""

    trace_id: str
    evaluator: str
    case: Case
    human: Verdict


def reviewed(reviews: Iterable[Review]) -> Iterator[Anchor]:
    """Anchors from review labels: the verdict of most people; a case on which they are split makes none."""
    labels: dict[tuple[str, str], list[Review]] = {}
    for review in reviews:
        labels.setdefault((review.evaluator, review.trace_id), []).append(review)
    for (evaluator, trace_id), found in labels.items():
        lead = sum(1 if review.human == "pass" else -1 for review in found)
        if lead:
            case = found[0].case
            yield Anchor(
                id=f"review-{trace_id}",
                evaluator=evaluator,
                question=case.question,
                answer=case.answer,
                context=case.context,
                human="pass" if lead > 0 else "fail",
                model=case.model,
                provenance=f"review, {len(found)} {'label' if len(found) == 1 else 'labels'}",
            )


def due(keys: Collection[str], cursor: Cursor, now: float, per_hour: float) -> tuple[str | None, Cursor]:
    """The key of the anchor to score now, if one is due, and where the drip is after it.

    Every anchor comes once a lap, in the order of its key, so that a cursor is good after a restart and after the set
    changed. What was due while nobody ran is not caught up with: a drip, never a burst.
    """
    if now < cursor.due or per_hour <= 0 or not keys:
        return None, cursor
    chosen = min((key for key in keys if key > cursor.after), default=None) or min(keys)
    interval = 3600 / per_hour
    late = now - cursor.due
    return chosen, Cursor(chosen, (cursor.due if late < interval else now) + interval)
