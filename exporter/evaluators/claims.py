"""Where an answer contradicts the facts of structured documents; knows English negation."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from .clock import opening, times_in
from .facts import Facts, Key, stem

_SENTENCES = 300
_LONGEST = 2000
_MOST = 2000
"""Mentions of keys that are looked at."""

_BEFORE = 22
"""Words before a mention in which a negation is looked for."""

_TOKEN = re.compile(r"[a-z0-9]+(?:'t)?|[;,]")
_NEGATION = frozenset(
    {"no", "not", "nor", "neither", "never", "without", "lack", "lacks", "lacking"}
    | {"doesn't", "don't", "isn't", "aren't", "won't", "cannot", "can't"}
)
_TURN = frozenset(
    {"but", "however", "although", "though", "while", "whereas", "yet", "instead", "with", "there", ";"}
    | {
        "offers",
        "offer",
        "provides",
        "provide",
        "features",
        "includes",
        "has",
        "have",
        "is",
        "are",
        "was",
        "it",
        "they",
    }
)
"""Words that end what a negation before them says of, unless it stands right before them."""

_GENERAL = frozenset({"no", "any", "not", "offer", "have", "provide"})
_AVAILABLE = re.compile(
    r"(?:(?!and\b|but\b|or\b|,)[a-z']+ ){0,2}(?:is|are|was|were) (?:(?:also|still|readily|both) )?"
    r"(?:available|offered|provided|allowed|free|accepted|possible|good)\b"
)
_DENIED = re.compile(
    r"(?:(?!and\b|but\b|while\b)[a-z']+ ){0,3}(?:(?:is|are|was|were|does|do) not|unavailable|isn't|aren't)\b"
    r"|(?:[a-z',]+ ){0,8}(?:is|are) not(?: available| offered| provided)?$"
)
_OPEN = re.compile(
    r"\b(?:mention\w*|specif(?:y|ied)|unknown|unclear|unspecified|disclosed?|listed|indicated?|information|data|known"
    r"|clear|null|stated?|details?)\b"
)


class Conflicts(Struct, frozen=True, gc=False):
    """How many of an answer's statements conflict with facts.

    ``affirmed``: said to be so, but is not. ``denied``: said not to be so, but is. ``invented``: said to be so, and
    ``excluded``: said not to be so, of what is left open. ``hours``: days with other opening hours. ``times``: times of
    day that occur nowhere. ``checked``: how many statements were compared in all.
    """

    affirmed: int = 0
    denied: int = 0
    invented: int = 0
    excluded: int = 0
    hours: int = 0
    times: int = 0
    checked: int = 0

    @property
    def share(self) -> float:
        """The share of the compared statements that conflict."""
        if not self.checked:
            return 0.0
        return min(1.0, (self.contradicted + self.unknown + self.hours + self.times) / self.checked)

    @property
    def contradicted(self) -> int:
        """Statements that facts contradict."""
        return self.affirmed + self.denied

    @property
    def unknown(self) -> int:
        """Statements of what is left open."""
        return self.invented + self.excluded


class _Sentence(Struct, frozen=True):
    words: list[str]
    is_open: bool


def conflicts(facts: Facts, sentences: Sequence[str]) -> Conflicts:
    """Compare an answer with facts."""
    sentences = [sentence[:_LONGEST] for sentence in sentences[:_SENTENCES]]
    affirmed = denied = invented = excluded = checked = 0
    for key, said in _statements(facts, sentences):
        state = facts.states[key]
        checked += 1
        if state == "yes":
            denied += False in said
        elif state == "no":
            affirmed += True in said
        elif True in said:
            # What the texts of the document speak of may be told from there.
            invented += " ".join(key) not in facts.prose and "".join(key) not in facts.prose
        else:
            excluded += False in said
    days, other_days = _opening_hours(facts, sentences)
    times = {time for sentence in sentences for time in times_in(sentence)} if facts.times else set()
    other_times = len(times - facts.times)
    return Conflicts(affirmed, denied, invented, excluded, other_days, other_times, checked + days + len(times))


def _statements(facts: Facts, sentences: Sequence[str]) -> Iterator[tuple[Key, set[bool]]]:
    """Each key that the answer names, with what it says: that it is so, that it is not, or both."""
    read = [_read(sentence) for sentence in sentences]
    places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, sentence in enumerate(read):
        for place, word in enumerate(sentence.words):
            places[stem(word)].append((number, place))
    left = _MOST
    for key, state in facts.states.items():
        mentions = [] if state == "mixed" else [*_mentions(key, places, read)][:left]
        left -= len(mentions)
        said = [_said(read[number].words, start, end, key in facts.groups) for number, start, end in mentions]
        found = {one for one in said if one is not None}
        if found:
            yield key, found


def _read(sentence: str) -> _Sentence:
    text = sentence.lower().replace("\u2019", "'")
    return _Sentence(_TOKEN.findall(text), _OPEN.search(text) is not None)


def _mentions(
    key: Key, places: dict[str, list[tuple[int, int]]], read: Sequence[_Sentence]
) -> Iterator[tuple[int, int, int]]:
    """The sentence of each mention of a key, its first and its last word; none where it may say: that is not known."""
    for number, place in places.get("".join(key), ()):
        if not read[number].is_open:
            yield number, place, place
    for number, place in places.get(key[0], ()) if len(key) > 1 else ():
        words = read[number].words[place : place + len(key)]
        if not read[number].is_open and tuple(map(stem, words)) == key:
            yield number, place, place + len(key) - 1


def _said(words: Sequence[str], start: int, end: int, is_group: bool) -> bool | None:
    """Does a sentence say that there is what it names at a place (True) or that there is not (False)?"""
    after = " ".join(words[end + 1 : end + 12])
    denied = _is_negated(words, start)
    if denied and is_group and start and words[start - 1] not in _GENERAL:
        return None  # no valet parking says nothing of parking
    if _AVAILABLE.match(after):
        return True
    return not (denied or _DENIED.match(after))


def _is_negated(words: Sequence[str], start: int) -> bool:
    for place in range(start - 1, max(-1, start - _BEFORE), -1):
        word = words[place]
        if word in _NEGATION:
            return not (word == "not" and words[place + 1] == "only")
        if word in _TURN and _NEGATION.isdisjoint(words[max(0, place - 2) : place]):
            return False
    return False


def _opening_hours(facts: Facts, sentences: Sequence[str]) -> tuple[int, int]:
    """Of how many days the answer gives opening hours, and of how many it gives others than the facts."""
    days: set[int] = set()
    other: set[int] = set()
    for told in [one for sentence in sentences for one in opening(sentence)] if facts.hours else ():
        days |= told.days
        other |= {day for day in told.days if _differs(facts, day, told.hours, alone=len(told.days) < 7)}
    return len(days), len(other)


def _differs(facts: Facts, day: int, told: tuple[int, int] | tuple[()] | None, *, alone: bool) -> bool:
    hours = facts.hours.get(day)
    is_open = hours is not None and hours[0] != hours[1]
    if told is None:
        return is_open
    if told == ():
        return not is_open
    return told != hours if is_open else alone
