"""What a document's JSON states: which things are so, are not so or are left open, opening hours, times of day."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from .clock import DAYS, times_in

State = Literal["yes", "no", "unknown", "mixed"]
Key = tuple[str, ...]
Hours = tuple[int, int]
"""From and to, in minutes of the day; two equal ones where it is closed."""

_MOST = 200
_LONG = 80
"""Characters of a value from which it is prose rather than a field."""

_STRUCTURED = 0.15
"""The share of a document that must be fields for it to be structured rather than prose in an envelope."""

_LONGEST_REMEMBERED = 1000
_NESTED = (dict, list)
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_JOINING = frozenset({"for", "and", "is", "has", "of", "the", "by", "to", "good"})
_FAMILY = 3
_NEGATIVE = frozenset({"no", "none", "false", "never", "n/a", "off", "not available", "unavailable"})
_HOURS = re.compile(r"\s*(\d{1,2}):(\d{1,2})\s*[-\u2013]\s*(\d{1,2}):(\d{1,2})\s*")


class Facts(Struct, frozen=True):
    """What documents state.

    ``states`` is by the stems of a key's words; ``groups`` has those of them that are objects of such keys (parking:
    {valet: no, street: yes}); ``hours`` is by weekday, Monday first; ``times`` are minutes of the day; ``prose`` is
    the long texts in them, in lower case.
    """

    states: dict[Key, State]
    groups: frozenset[Key]
    hours: dict[int, Hours]
    times: frozenset[int]
    prose: str
    structured: bool


def decoded(text: str) -> Any:
    """The value of a document that is JSON, an object or a list; None of any other."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(text.encode("utf-8", "replace"))
    except (msgspec.DecodeError, RecursionError):
        return None


def facts_of(value: Any, most: int = _MOST) -> Facts:
    """The facts of a decoded document, so many and _MOST at most."""
    states: dict[Key, State] = {}
    groups: set[Key] = set()
    for key, state, is_group in _states(value):
        _state_too(states, key, state)
        if is_group:
            groups.add(key)
        if len(states) >= min(most, _MOST):
            break
    texts = list(strings(value))
    long = [text for text in texts if len(text) > _LONG]
    fields, prose = _sizes(value, long)
    return Facts(
        states,
        frozenset(groups),
        dict(_hours(value)),
        frozenset([time for text in texts for time in times_in(text)]),
        "\n".join(long).lower(),
        fields > _STRUCTURED * (fields + prose),
    )


def together(several: Sequence[Facts]) -> Facts:
    """The facts of several documents as if they were one."""
    if len(several) == 1:
        return several[0]
    states: dict[Key, State] = {}
    hours: dict[int, Hours] = {}
    for facts in several:
        for key, state in facts.states.items():
            _state_too(states, key, state)
        # Opening hours of two places are of no use: it is not known of which an answer speaks.
        hours = {} if hours and facts.hours else hours or facts.hours
    return Facts(
        states,
        frozenset().union(*[facts.groups for facts in several]),
        hours,
        frozenset().union(*[facts.times for facts in several]),
        "\n".join([facts.prose for facts in several]),
        any(facts.structured for facts in several),
    )


def leaves(value: Any) -> Iterator[tuple[str, Any]]:
    """Each value that is no object or list, with the keys above it, joined by spaces."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            waiting += [(f"{path} {name}" if len(path) < _LONG else name, inner) for name, inner in one.items()][::-1]
        elif isinstance(one, list):
            waiting += [(path, inner) for inner in reversed(one)]
        else:
            yield path, one


def strings(value: Any) -> Iterator[str]:
    """The texts in a decoded document."""
    return (one for _, one in leaves(value) if isinstance(one, str))


def stem(word: str) -> str:
    """A word in lower case without ing or s."""
    return word[:-3] if word.endswith("ing") and len(word) > 6 else word.rstrip("s")


def _state_too(states: dict[Key, State], key: Key, state: State) -> None:
    # One key with two values, as in two rows of a table, says nothing of either.
    states[key] = state if states.get(key, state) == state else "mixed"


def _objects(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each object in a decoded document, with the key that it is the value of."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        name, one = waiting.pop()
        if isinstance(one, list):
            waiting += [(name, inner) for inner in reversed(one) if isinstance(inner, _NESTED)]
        elif isinstance(one, dict):
            waiting += [(key, inner) for key, inner in one.items() if isinstance(inner, _NESTED)]
            yield name, one


def _states(value: Any) -> Iterator[tuple[Key, State, bool]]:
    for name, record in _objects(value):
        names = tuple([key for key, inner in record.items() if not isinstance(inner, _NESTED)])
        short = sum(map(len, names)) <= _LONGEST_REMEMBERED
        for key, words in (_keys if short else _keys.__wrapped__)(names):
            state = _state(record[key])
            if state:
                yield words, state, False
        group = _group_state(record)
        words = _words(name)
        if group and words:
            yield tuple(map(stem, words[1:] or words)), group, True


def _group_state(record: Mapping[str, Any]) -> State | None:
    """Of an object that says yes, no or nothing of several kinds: whether there is any; None of another object."""
    if len(record) < 2 or not all(one is None or isinstance(one, bool) for one in record.values()):
        return None
    if True in record.values():
        return "yes"
    return "unknown" if None in record.values() else "no"


@lru_cache(maxsize=64)
def _keys(names: tuple[str, ...]) -> tuple[tuple[str, Key], ...]:
    """What to look for, of each name of a record; remembered, since the records of an application have few forms."""
    words_of = {name: _words(name) for name in names if name.lower() not in DAYS}
    first = Counter(words[0] for words in words_of.values() if len(words) > 1)
    keys: list[tuple[str, Key]] = []
    for name, words in words_of.items():
        # A word that begins many keys (RestaurantsDelivery, RestaurantsTakeOut) names their family, not the thing.
        own = words[1:] if len(words) > 1 and first[words[0]] >= _FAMILY else words
        if own and len("".join(own)) > 2:
            keys.append((name, tuple([stem(word) for word in own])))
    return tuple(keys)


def _words(name: str) -> tuple[str, ...]:
    return tuple([word for piece in _PIECES.findall(name) if (word := piece.lower()) not in _JOINING])


def _state(value: Any) -> State | None:
    """None where a value says nothing of whether there is what its key names."""
    if value is None or value == "":
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str) or len(value) > _LONG:
        return None
    return "no" if value.strip().lower() in _NEGATIVE else "yes"


def _hours(value: Any) -> Iterator[tuple[int, Hours]]:
    """Opening hours, where exactly one object has them."""
    found = [record for _, record in _objects(value) if any(name.lower() in DAYS for name in record)]
    for name, written in found[0].items() if len(found) == 1 else ():
        hours = _HOURS.fullmatch(written[:_LONG]) if isinstance(written, str) else None
        if hours and name.lower() in DAYS:
            start, minute, end, last = map(int, hours.groups())
            yield DAYS.index(name.lower()), (start % 24 * 60 + minute, end % 24 * 60 + last)


def _sizes(value: Any, long: Sequence[str]) -> tuple[int, int]:
    """About how many characters of a document are fields, and how many are prose."""
    fields = sum(len(path) + (0 if isinstance(one, str) and len(one) > _LONG else 8) for path, one in leaves(value))
    return fields, sum(map(len, long))
