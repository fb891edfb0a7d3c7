"""Do cited documents exist and support the sentence that cites them: `citation`; opens no address."""

import re
from collections.abc import Iterator, Sequence

from ..score import Score
from ..trace import Document, Trace
from .grounding import judged
from .registry import evaluator
from .sources import MOST_FACTS, reusable
from .words import ANSWER_LIMIT, CONTEXT_LIMIT, read

_MOST = 100
"""Citations of one answer that are looked at."""

_QUOTED = 3
_QUOTE_LENGTH = 300

# [1] [1, 2] [^1] but not a[1], [1](link) or [1]: definition
_NUMBERS = r"(?<![\w\]])\[\^?(?P<numbers>\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\](?![(:])"
# [doc-12] [handbook] (source: handbook): only where the id is known or has a digit; [Name] and (source: BBC) are none
_ID = r"(?<![\w\]])\[(?P<id>[A-Za-z][\w.:/ -]{0,120})\](?![(:])"
_NAMED = r"\((?i:source|ref|doc|document|see)s?:?\s+(?P<named>[\w.:/-]{1,120})\)"
_BRACKET = r"【(?P<bracket>\d{1,3})[^】\n]{0,80}】"
_CITATION = re.compile("|".join((_NUMBERS, _ID, _NAMED, _BRACKET)))
_NAMES_ONE = re.compile(_NAMED)
_BREAK = re.compile(r"(?<=[.!?。])\s+(?![\[(【])|\n+")
_DIGIT = frozenset("0123456789")
_COMMA = re.compile(r"\s*[,;]\s*")


@evaluator("citation", version="1")
def citation(trace: Trace) -> Score | None:
    """Cited ids exist among the documents, and that document supports the citing sentence: the worst one counts."""
    text = (trace.answer or "")[:ANSWER_LIMIT]
    if not trace.context or not ("[" in text or "【" in text or _NAMES_ONE.search(text)):
        return None
    cited = _resolved(_citations(text), trace.context)
    if not cited:
        return None
    missing = sum(place is None for _, place in cited)
    if missing:
        return Score(0.0, False, f"{missing} of {len(cited)} citations name no document that was retrieved")
    return _supported(cited, trace.context)


def _supported(cited: list[tuple[str, int | None]], context: Sequence[Document]) -> Score:
    places = {place for _, place in cited if place is not None}
    room = CONTEXT_LIMIT // len(places)
    ready = {place: reusable(context[place].text[:room], MOST_FACTS // len(places)) for place in places}
    readings = {sentence: read(sentence) for sentence, _ in cited}
    values = {
        (sentence, place): judged(readings[sentence], ready[place])
        for sentence, place in dict.fromkeys(cited)
        if place is not None
    }
    worst = min(values.values())
    weak = sorted((value, sentence) for (sentence, _), value in values.items() if value < 0.5)
    if not weak:
        return Score(worst)
    note = f"{len(weak)} of {len(values)} citing sentences are not supported by the document that they cite"
    if any(len(context[place].text) > room for place in places):
        note += f"; looked at the first {room} characters of each document"
    return Score(worst, None, note, tuple([sentence[:_QUOTE_LENGTH] for _, sentence in weak[:_QUOTED]]))


def _citations(text: str) -> Iterator[tuple[str, str]]:
    """Each citing sentence without its marks, with one id that it cites; at most _MOST."""
    left = _MOST
    for sentence in _BREAK.split(text):
        found = list(_CITATION.finditer(sentence))
        bare = _CITATION.sub(" ", sentence).strip() if found else ""
        for one in found:
            for cited in _COMMA.split(one.group(one.lastgroup or 0)):
                if not left:
                    return
                left -= 1
                yield bare, cited


def _resolved(cited: Iterator[tuple[str, str]], context: Sequence[Document]) -> list[tuple[str, int | None]]:
    """Each sentence with the place of the document: by its id, else by its place counted from 1."""
    places = {one.id.lower(): place for place, one in enumerate(context) if one.id}
    names = [(sentence, name.lower()) for sentence, name in cited]
    return [
        (sentence, _place(name, places, len(context)))
        for sentence, name in names
        if name in places or not _DIGIT.isdisjoint(name)
    ]


def _place(name: str, places: dict[str, int], count: int) -> int | None:
    if name not in places and name.isdigit() and 1 <= int(name) <= count:
        return int(name) - 1
    return places.get(name)
