"""What a document's JSON says is so, is not so or is unknown, and where an answer contradicts it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

State = Literal["yes", "no", "unknown", "mixed"]

_MOST = 200
_LONGEST_LINE = 2000
_LONGEST_REMEMBERED = 1000
_NESTED = (dict, list)
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_JOINING = frozenset({b"for", b"and", b"is", b"has", b"of", b"the", b"by", b"to"})
_FAMILY = 3
_SPREAD = 40
_DENIED = re.compile(rb"\S* (?:\w+ ){0,3}(?:not|unavailable|n t)\b")
_NEGATIVE = frozenset({"no", "none", "false", "never", "n/a", "off", "not available", "unavailable"})
_NEGATION = re.compile(
    rb"\b(?:no|not|nor|neither|never|without|lacks?|lacking|doesn t|don t|isn t|aren t|unavailable|cannot|can t)\b"
)
_TURN = re.compile(rb"\b(?:but|however|although|though|while|whereas|yet)\b")
_OPEN = re.compile(
    rb"\b(?:mentioned|specified|unknown|unclear|unspecified|disclosed|listed|indicated|information|data|known|clear)\b"
)
# As \b(\d{1,2}), which is found at half the speed: the search would not know that it begins with a digit.
_HOUR = r"(\d(?<=\b\d)\d?)"
_CLOCK = re.compile(_HOUR + r"(?:[:.](\d{2}))? ?([ap])\.?m\b", re.IGNORECASE)
_CLOCK_24 = re.compile(_HOUR + r":(\d{1,2})\b")


class Facts(Struct, frozen=True):
    """What documents state, by what to look for (all words of a key as one, then each), and their times in minutes."""

    states: dict[tuple[bytes, ...], State]
    times: frozenset[int]


class Conflicts(Struct, frozen=True, gc=False):
    """How many of an answer's statements contradict, claim the unknown, or name a time that is nowhere."""

    contradicted: int = 0
    unknown: int = 0
    times: int = 0

    def __bool__(self) -> bool:
        return bool(self.contradicted or self.unknown or self.times)


def facts_of(text: str, most: int = _MOST) -> Facts | None:
    """The facts of a document that is JSON, so many and _MOST at most; None of any other."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None
    states: dict[tuple[bytes, ...], State] = {}
    for key, state in _states(value):
        _state_too(states, key, state)
        if len(states) >= min(most, _MOST):
            break
    times = {int(hour) % 24 * 60 + int(minute) for hour, minute in _CLOCK_24.findall(text)}
    return Facts(states, frozenset(times))


def together(several: Sequence[Facts]) -> Facts:
    """The facts of several documents as if they were one."""
    if len(several) == 1:
        return several[0]
    states: dict[tuple[bytes, ...], State] = {}
    for facts in several:
        for key, state in facts.states.items():
            _state_too(states, key, state)
    return Facts(states, frozenset().union(*[facts.times for facts in several]))


def _state_too(states: dict[tuple[bytes, ...], State], key: tuple[bytes, ...], state: State) -> None:
    # One key with two values, as in two rows of a table, says nothing of either.
    states[key] = state if states.get(key, state) == state else "mixed"


def conflicts(facts: Facts, sentences: Sequence[bytes], answer: str) -> Conflicts:
    """Compare an answer (its sentences as plain words, and its text) with a document's facts."""
    wrong = open_ = 0
    sentences = [line[:_LONGEST_LINE] for line in sentences]
    everything = b"\n".join(sentences)
    for key, state in facts.states.items():
        said = _said(key, sentences) if state != "mixed" and _is_named(key, everything) else None
        if said is None:
            continue
        if state == "unknown":
            open_ += 1
        elif said != (state == "yes"):
            wrong += 1
    return Conflicts(wrong, open_, _strange_times(facts, answer))


def _states(value: Any) -> Iterator[tuple[tuple[bytes, ...], State]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, dict):
            waiting += [inner for inner in one.values() if isinstance(inner, _NESTED)]
            yield from _stated(one)


def _stated(record: dict[str, Any]) -> Iterator[tuple[tuple[bytes, ...], State]]:
    names = tuple([name for name, inner in record.items() if not isinstance(inner, _NESTED)])
    short = sum(map(len, names)) <= _LONGEST_REMEMBERED
    for name, key in (_keys if short else _keys.__wrapped__)(names):
        yield key, _state(record[name])


@lru_cache(maxsize=64)
def _keys(names: tuple[str, ...]) -> tuple[tuple[str, tuple[bytes, ...]], ...]:
    """What to look for, of each name of a record; remembered, since the records of an application have few forms."""
    words_of = {name: _words(name) for name in names}
    first = Counter(words[0] for words in words_of.values() if len(words) > 1)
    keys: list[tuple[str, tuple[bytes, ...]]] = []
    for name, words in words_of.items():
        # A word that begins many keys (RestaurantsDelivery, RestaurantsTakeOut) names their family, not the thing.
        own = words[1:] if len(words) > 1 and first[words[0]] >= _FAMILY else words
        if own and len(b"".join(own)) > 2:
            keys.append((name, tuple([b" " + _stem(word) for word in (b"".join(own), *own)])))
    return tuple(keys)


def _words(name: str) -> tuple[bytes, ...]:
    pieces = tuple(piece.lower().encode() for piece in _PIECES.findall(name))
    return tuple(piece for piece in pieces if piece not in _JOINING)


def _state(value: Any) -> State:
    if value is None or value == "":
        return "unknown"
    if value is False or (isinstance(value, str) and value.strip().lower() in _NEGATIVE):
        return "no"
    return "yes"


def _said(key: tuple[bytes, ...], sentences: Sequence[bytes]) -> bool | None:
    """Does the answer say that it is so (True), that it is not (False), or nothing (None)?"""
    for sentence in sentences:
        start, end = _place(key, sentence)
        if start < 0:
            continue
        if _OPEN.search(sentence):
            return None
        before = _TURN.split(sentence[:end])[-1]
        if _NEGATION.search(before) is None and _DENIED.match(sentence[end:]) is None:
            return True
        return False if _NEGATION.search(sentence[max(0, start - 20) : start]) else None
    return None


def _is_named(key: tuple[bytes, ...], text: bytes) -> bool:
    """Could any sentence of a text name the words of a key?"""
    return key[0] in text or (len(key) > 2 and all(word in text for word in key[1:]))


def _place(key: tuple[bytes, ...], sentence: bytes) -> tuple[int, int]:
    """Where a sentence names the words of a key, closely together; (-1, -1) where it does not."""
    joined = sentence.find(key[0])
    if joined >= 0:
        return joined, joined + 1
    if len(key) == 2 or sentence.find(key[1]) < 0:
        return -1, -1
    places = [sentence.find(word) for word in key[1:]]
    if -1 in places or max(places) - min(places) > _SPREAD:
        return -1, -1
    return min(places), max(places)


def _stem(word: bytes) -> bytes:
    return word[:-3] if word.endswith(b"ing") and len(word) > 6 else word.rstrip(b"s")


def _strange_times(facts: Facts, answer: str) -> int:
    if not facts.times:
        return 0
    named = {
        (int(hour) % 12 + (12 if half in "pP" else 0)) * 60 + int(minute or 0)
        for hour, minute, half in _CLOCK.findall(answer)
    }
    return len(named - facts.times)
