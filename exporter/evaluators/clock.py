"""Times of day, weekdays and opening hours in a text; of words it knows the English ones."""

import re
from collections.abc import Iterator
from itertools import islice

from msgspec import Struct

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = "|".join(f"{day[:3]}(?:{day[3:]})?s?" for day in DAYS)
_BEGINS = {day[:3]: number for number, day in enumerate(DAYS)}
_WEEK = frozenset(range(7))

# As \b(\d{1,2}), which is found at half the speed: the search would not know that it begins with a digit.
_HOUR = r"(\d(?<=\b\d)\d?)"
_TIME = re.compile(_HOUR + r"(?:(?:[:.](\d{1,2}))? ?([apAP])\.?[mM]\b|:(\d{1,2})\b)")
_EVENTS = re.compile(
    rf"""(?P<time>\b\d{{1,2}}(?:(?:[:.]\d{{1,2}})?\ ?[ap]\.?m\b\.?|:\d{{1,2}}\b)|\bnoon\b|\bmid(?:day|night)\b)
    | (?P<span>\b(?:{_DAY})\b\ ?(?:-|\u2013|to|through|thru|until|till)\ ?\b(?:{_DAY})\b)
    | (?P<day>\b(?:{_DAY})\b)
    | (?P<group>\bweek(?:day|end)s?\b|\bdaily\b|\bevery\ ?day\b|\b(?:seven|7)\ days\ a\ week\b)
    | (?P<closed>\bclosed\b|\bnot\ open\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_DAYS = re.compile(_DAY, re.IGNORECASE)
_NAMED = {"noon": 720, "midday": 720, "midnight": 0}
_TO = re.compile(r"\s*(?:-|\u2013|to|until|till|and|through)\s*", re.IGNORECASE)
_AND = re.compile(r"[\s,]*(?:and|&|or)?\s*(?:on\s*)?", re.IGNORECASE)
_OPEN = re.compile(r"\b(?:open|operat)", re.IGNORECASE)
_MOST = 100
"""Times and days of one sentence that are looked at."""


class OpeningHours(Struct, frozen=True):
    """Weekdays, and from when to when it is open then: None where it is closed, () where that is not told."""

    days: frozenset[int]
    hours: tuple[int, int] | tuple[()] | None


def times_in(text: str) -> Iterator[int]:
    """The times of day in a text, in minutes: 9:30, 9.30 pm, 9 am."""
    if ":" in text or "m" in text or "M" in text:
        for hour, minute, half, minutes in _TIME.findall(text):
            yield _minutes(int(hour), int(minute or minutes or 0), half)


class _Part(Struct, frozen=True):
    """A part of a sentence: D, days; H, from when to when; T, a time alone; C, closed."""

    kind: str
    days: frozenset[int] = frozenset()
    hours: tuple[int, int] | None = None


def opening(sentence: str) -> list[OpeningHours]:
    """What a sentence tells of when it is open, where days and hours clearly belong together."""
    parts = _parts(sentence)
    order = "".join([part.kind for part in parts if part.kind != "T"])
    days = [part.days for part in parts if part.kind == "D"]
    hours = [part.hours for part in parts if part.kind in "HC"]
    if order and order in ("DH" * len(days), "DC" * len(days), "HD" * len(days), "CD" * len(days)):
        return [OpeningHours(*pair) for pair in zip(days, hours, strict=True)]
    if order == "H":
        return [OpeningHours(_WEEK, hours[0])]
    if len(parts) == len(days) and _OPEN.search(sentence) and " not " not in sentence:
        return [OpeningHours(several, ()) for several in days if len(several) >= 5]
    return []


def _parts(sentence: str) -> list[_Part]:
    """Days and hours of a sentence in order, neighbours joined: from 9 to 5, Monday and Friday."""
    parts = [_Part("")]
    end = 0
    for event in islice(_EVENTS.finditer(sentence), _MOST):
        kind, between, last = event.lastgroup, sentence[end : event.start()], parts[-1]
        end = event.end()
        if kind == "time":
            time = _time(event[0])
            if last.kind == "T" and last.hours and _TO.fullmatch(between):
                parts[-1] = _Part("H", hours=(last.hours[0], time))
            else:
                parts.append(_Part("T", hours=(time, time)))
        elif kind == "closed":
            parts.append(_Part("C"))
        elif last.kind == "D" and _AND.fullmatch(between):
            parts[-1] = _Part("D", last.days | _days(event))
        else:
            parts.append(_Part("D", _days(event)))
    return parts[1:]


def _days(event: re.Match[str]) -> frozenset[int]:
    if event.lastgroup == "group":
        text = event[0].lower()
        return frozenset(range(5) if "weekday" in text else (5, 6) if "weekend" in text else _WEEK)
    first, *last = [_BEGINS[day[:3].lower()] for day in _DAYS.findall(event[0])]
    return frozenset({(first + more) % 7 for more in range((last[0] - first) % 7 + 1)} if last else {first})


def _time(text: str) -> int:
    return _NAMED[text.lower()] if text.lower() in _NAMED else next(times_in(text), 0)


def _minutes(hour: int, minute: int, half: str) -> int:
    if half and hour <= 12:
        hour = hour % 12 + (12 if half in "pP" else 0)
    return (hour % 24) * 60 + minute
