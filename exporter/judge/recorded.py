"""Measures verdicts of a judge that were recorded earlier against people's, without calls. Knows rows, no file.

A row is ``{"id", "label", "judge": {name: reply or [replies]}}``, with ``output`` (two answers, where people said which
wins: 1, 2, or 0 for a tie) and ``votes`` (each annotator's label) where there are. A list holds one reply for each
order in which the answers were shown; of more than two, the last two count. A row counts once, whatever its replies.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any, Final

import msgspec
from msgspec import Struct

from ..runtime import mismatch
from .agreement import kappa
from .anchors import AnchorsError
from .bias import Preference, length_preference
from .imported import as_text
from .intervals import CONFIDENCE, Estimate, wilson

_WINNERS: Final = ("1", "2", "0")
_VERDICTS: Final = ("pass", "fail")
_TIES: Final = frozenset({"tie", "draw", "equal"})
_MOST_SHOWN: Final = 5


class RecordedRow(Struct, frozen=True, kw_only=True):
    """One recorded case; a field that is not here is left alone."""

    id: str | int
    label: str | int
    judge: dict[str, Any]
    output: str | list[str] = ""
    votes: list[str | int] = []


class CountedRows(Struct, frozen=True, kw_only=True):
    """Rows by verdict of the judge (down) and of people (across), in the order of ``labels``, and what they say."""

    labels: tuple[str, ...]
    table: tuple[tuple[float, ...], ...]
    agreement: Estimate | None
    kappa: Estimate | None
    sensitivity: Estimate | None = None
    specificity: Estimate | None = None
    flips: Estimate | None = None


class RecordedJudge(Struct, frozen=True, kw_only=True):
    """What recorded verdicts say of a judge.

    ``as_read`` leaves out replies that say nothing readable (``unread`` of ``replies``); ``unread_as_tie`` counts them
    as ties, as many papers do, where there are any and people could choose a tie. ``longer_wins`` is how often people
    prefer the longer answer; ``people`` the kappa of each two annotators.
    """

    judge: str
    rows: int
    replies: int
    unread: int
    as_read: CountedRows
    unread_as_tie: CountedRows | None
    length: Preference | None
    longer_wins: Estimate | None
    people: tuple[Estimate, ...]
    worst: tuple[str, ...]
    """Ids of the first rows on which no reply agrees with people."""


class NoJudgeError(ValueError):
    """The rows hold no verdict of the judge that was asked for."""


class _Read(Struct, frozen=True):
    row: RecordedRow
    human: str
    replies: tuple[str, ...]
    """"" for one that cannot be read."""


_decoder: Final = msgspec.json.Decoder(RecordedRow)


def rows(lines: Iterable[bytes], source: str) -> list[RecordedRow]:
    """The rows of a JSONL file; AnchorsError names every line that is none."""
    found, problems = [], []
    for number, line in enumerate(lines, 1):
        try:
            found += [_decoder.decode(line)] if line.strip() else []
        except msgspec.ValidationError:
            problems.append((number, str(mismatch.of_json(line, RecordedRow))))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problems.append((number, "is not a JSON object"))
    if problems:
        raise AnchorsError(source, problems)
    return found


def judges(found: Iterable[RecordedRow]) -> list[str]:
    """The judges that the rows hold verdicts of."""
    return list(dict.fromkeys(name for row in found for name in row.judge))


def measure(found: Sequence[RecordedRow], judge: str, confidence: float = CONFIDENCE) -> RecordedJudge:
    """Measure one judge of the rows against people; NoJudgeError where the rows do not know it."""
    mine = [row for row in found if judge in row.judge]
    if not mine:
        known = ", ".join(judges(found)) or "none"
        raise NoJudgeError(f"no row has a verdict of {judge}; judges recorded there: {known}")
    labels = _labels(mine)
    read = [_read(row, row.judge[judge], labels) for row in mine]
    replies = [reply for one in read for reply in one.replies]
    pairwise = labels == _WINNERS
    return RecordedJudge(
        judge=judge,
        rows=len(read),
        replies=len(replies),
        unread=replies.count(""),
        as_read=_counted(_without_unread(read), labels, confidence),
        unread_as_tie=_counted(_tied(read), labels, confidence) if pairwise and "" in replies else None,
        length=length_preference(_length_choices(read), confidence) if pairwise else None,
        longer_wins=_longer_wins(read, confidence) if pairwise else None,
        people=tuple(_people(mine, confidence)),
        worst=tuple(str(one.row.id) for one in read if one.human not in one.replies)[:_MOST_SHOWN],
    )


def _labels(found: Sequence[RecordedRow]) -> tuple[str, ...]:
    given = {_plain(row.label) for row in found}
    for known in (_WINNERS, _VERDICTS):
        if given <= set(known):
            return known
    return tuple(sorted(given))


def _plain(value: Any) -> str:
    return as_text(value).strip().lower()


def _read(row: RecordedRow, said: Any, labels: tuple[str, ...]) -> _Read:
    replies = said[-2:] if isinstance(said, list) else [said]
    return _Read(row, _plain(row.label), tuple(_reply(reply, labels) for reply in replies))


def _reply(said: Any, labels: tuple[str, ...]) -> str:
    text = _plain(said)
    if text in _TIES and "0" in labels:
        return "0"
    return text if text in labels else ""


def _without_unread(read: Iterable[_Read]) -> list[_Read]:
    kept = (_Read(one.row, one.human, tuple(filter(None, one.replies))) for one in read)
    return [one for one in kept if one.replies]


def _tied(read: Iterable[_Read]) -> list[_Read]:
    return [_Read(one.row, one.human, tuple(reply or "0" for reply in one.replies)) for one in read]


def _counted(read: Sequence[_Read], labels: tuple[str, ...], confidence: float) -> CountedRows:
    if labels == _WINNERS:
        seen = {verdict for one in read for verdict in (one.human, *one.replies)}
        labels = tuple(label for label in labels if label in seen)
    table = [[0.0] * len(labels) for _ in labels]
    for one in read:
        for reply in one.replies:
            table[labels.index(reply)][labels.index(one.human)] += 1 / len(one.replies)
    right = sum(table[at][at] for at in range(len(labels)))
    judged_twice = [one.replies for one in read if len(one.replies) == 2]
    told = {}
    if labels == _VERDICTS:
        (both_pass, _), (_, both_fail) = table
        told["sensitivity"] = wilson(both_pass, table[0][0] + table[1][0], confidence)
        told["specificity"] = wilson(both_fail, table[0][1] + table[1][1], confidence)
    return CountedRows(
        labels=labels,
        table=tuple(map(tuple, table)),
        agreement=wilson(right, len(read), confidence),
        kappa=kappa(table, confidence),
        flips=wilson(sum(one != other for one, other in judged_twice), len(judged_twice), confidence),
        **told,
    )


def _longer(row: RecordedRow) -> str:
    """Which of two answers is longer, in characters; "" where none is."""
    if isinstance(row.output, str) or len(row.output) != 2:
        return ""
    one, other = map(len, row.output)
    return "" if one == other else "1" if one > other else "2"


def _length_choices(read: Iterable[_Read]) -> Iterator[tuple[float, float]]:
    """Was the longer answer chosen, by the judge and by people? Where both chose, and lengths differ."""
    for one in read:
        longer, decided = _longer(one.row), [reply for reply in one.replies if reply in ("1", "2")]
        if longer and one.human != "0" and decided:
            yield decided.count(longer) / len(decided), float(one.human == longer)


def _longer_wins(read: Iterable[_Read], confidence: float) -> Estimate | None:
    won = [one.human == _longer(one.row) for one in read if _longer(one.row) and one.human != "0"]
    return wilson(sum(won), len(won), confidence)


def _people(found: Sequence[RecordedRow], confidence: float) -> Iterator[Estimate]:
    """The kappa of each two annotators, in the order in which the rows list them."""
    voted = [row.votes for row in found if row.votes]
    if not voted or len({len(votes) for votes in voted}) > 1:
        return
    labels = sorted({_plain(vote) for votes in voted for vote in votes})
    for one, other in combinations(range(len(voted[0])), 2):
        table = [[0.0] * len(labels) for _ in labels]
        for votes in voted:
            table[labels.index(_plain(votes[one]))][labels.index(_plain(votes[other]))] += 1
        if measured := kappa(table, confidence):
            yield measured
