"""Numbers, dates and times of day in a text as values, however they are written: 1,200 and 1.200,00 are 1200.

Knows the forms of English, German, French, Spanish, Italian, Portuguese, Dutch, Russian, Chinese, Japanese, Korean,
Arabic and Hindi. What can be read in two ways (1.200, 03/04/2026) has both values.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice

from msgspec import Struct

from .scan import digit_groups, figures, other_figures
from .words import utf8

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari января янв يناير जनवरी",
            "february feb februar février fevrier febrero febbraio fevereiro februari февраля фев فبراير फ़रवरी फरवरी",
            "march mar märz maerz mars marzo março maart марта мар مارس मार्च",
            "april apr avril abril aprile апреля апр أبريل अप्रैल",
            "may mai mayo maggio maio mei мая مايو मई",
            "june jun juni juin junio giugno junho июня июн يونيو जून",
            "july jul juli juillet julio luglio julho июля июл يوليو जुलाई",
            "august aug août aout agosto augustus августа авг أغسطس अगस्त",
            "september sep sept septembre septiembre settembre setembro сентября сен سبتمبر सितंबर",
            "october oct oktober okt octobre octubre ottobre outubro октября окт أكتوبر अक्टूबर",
            "november nov novembre noviembre novembro ноября ноя نوفمبر नवंबर",
            "december dec dezember dez décembre decembre diciembre dicembre dezembro декабря дек ديسمبر दिसंबर",
        ),
        start=1,
    )
    for name in names.split()
}
_SCALES = {
    name: scales
    for names, scales in {
        "k thousand tausend tsd mille mil mila duizend тыс тысяч 千 천 ألف हज़ार हजार": (10**3,),
        "mn mio million millions millionen millones millón milioni milione milhões milhão miljoen млн миллион "
        "миллиона миллионов مليون": (10**6,),
        "bn billion billions mrd milliarde milliarden milliard milliards miliardi miljard bilhão bilhões млрд миллиард "
        "миллиардов مليار": (10**9,),
        "billionen billones": (10**12,),
        "万 萬 만": (10**4,),
        "億 亿 억": (10**8,),
        "lakh लाख": (10**5,),
        "crore करोड़": (10**7,),
    }.items()
    for name in names.split()
}
_VALUE = re.compile(
    r"""(?<![\d])(?:
    (?P<year>\d{4})(?:-|/|\.|\ ?[年년])\ ?(?P<month>\d{1,2})(?:-|/|\.|\ ?[月월])\ ?(?P<day>\d{1,2})(?!\d)
    | (?P<one>\d{1,2})[./-](?P<two>\d{1,2})[./-](?P<last>\d{4}|\d{2})(?!\d)
    | (?P<year2>\d{4})-(?P<month3>\d{2})(?![\d-])
    | (?P<month2>\d{1,2})\ ?[月월]\ ?(?P<day2>\d{1,2})\ ?[日일]
    | (?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::\d{2})?(?!\d)|h(?P<minute2>\d{2})?\b
        |[.:]?(?P<minute3>(?<=[.:])\d{2})?\ ?(?=[ap]\.?m\b|Uhr\b)|\ ?[時点點시](?:\ ?(?P<minute4>\d{1,2})[分분])?)
      (?:\ ?(?P<half>[ap])\.?m\b)?
    | (?P<version>\d+(?:\.\d+){2,}(?!\d))(?<!\.\d{3})
    | (?P<number>\d{1,3}(?:(?P<separator>[.,'\u2019\ ])\d{3}(?!\d))(?:(?P=separator)\d{3}(?!\d))*(?:[.,]\d+)?
        | \d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?(?!\d)
        | \d+(?:[.,]\d+)?)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_BEFORE = re.compile(r"([^\s\d_.,;:!?()/-]{3,12})\.?,?\ ?(?:de |del |the |of )?$")
_AFTER = re.compile(r"(?:st|nd|rd|th|er|\.|\u00ba|\u00b0)?[ -]?(?:of |de |di )?([^\s\d_.,;:!?()/-]{3,12})\.?")
_YEAR = re.compile(r"\.?(?:,| de| del| of)? ?(\d{4})(?!\d)")
_AFTER_DAY = re.compile(r"(?:st|nd|rd|th)?,? (\d{4})(?!\d)")
_SCALE = re.compile(r" ?([千万萬億亿천만억]|[^\s\d_.,;:!?()/-]+)\.?")
_PERCENT = re.compile(
    r" ?(?:%|percent|per cent|prozent|pour cent|por ciento|per cento|por cento|procent)", re.IGNORECASE
)
_PM = re.compile(r"(?:下午|晚上|午後|오후)\s?$")
_DIGIT = re.compile("[0-9]")  # what begins with a certain character is found many times as fast
_DIGITS = re.compile(r"\d+")
_GROUPS = re.compile(rb"[0-9]+")
_DECIMAL = re.compile(rb"\d+[.,]\d*[1-9]")
_LONGEST = 24
"""Characters of a number; what is longer is an identifier."""

_NEAR = 14
"""Characters in which a word that belongs to a number begins or ends."""

_MOST_PLACES = 20
_WORDS = re.compile("[a-z]+|%")
_SPECIAL = (
    frozenset(MONTHS) | frozenset(_SCALES) | {"am", "pm", "a", "p", "uhr", "h", "noon", "%", "percent", "prozent"}
)
_MOST_KNOWN = 10_000
_MOST = 1000
"""Values of a text that are compared with those of others."""


class Value(Struct, frozen=True, gc=False):
    """A value in a text: where it stands, and what it may be."""

    start: int
    end: int
    readings: tuple[str, ...]


def values(text: str) -> Iterator[Value]:
    """The values in a text, in order."""
    at = 0
    while digit := _DIGIT.search(text, at):
        found = _VALUE.match(text, digit.start())
        if found is None:
            at = digit.end()
            continue
        value = _value(text, found)
        yield value
        at = value.end


class Numbers:
    """The numbers in texts: looked for when they are first asked for."""

    __slots__ = ("_groups", "_readings", "_texts", "_utf8", "_written")

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts
        self._utf8 = [utf8(text) for text in texts]
        self._written: frozenset[bytes] | None = None
        self._groups: frozenset[bytes] | None = None
        self._readings: frozenset[str] | None = None

    def others(self, text: str) -> list[bytes]:
        """The numbers of another text that are not written so in these, as often as they occur."""
        return other_figures(utf8(text), self._utf8)

    @property
    def written(self) -> frozenset[bytes]:
        """All of them as they are written, each in one piece, such as 1,200.50 or 17:30."""
        if self._written is None:
            self._written = frozenset().union(*map(figures, self._utf8))
        return self._written

    @property
    def readings(self) -> frozenset[str]:
        """All that the values in the texts may be; of a date also its month with its day, and its parts alone.

        Of the first _MOST_KNOWN values of each text.
        """
        if self._readings is None:
            found = ((text, value) for text in self._texts for value in islice(values(text), _MOST_KNOWN))
            self._readings = frozenset().union(*[_ways(text, value) for text, value in found])
        return self._readings

    def lack(self, figure: bytes) -> bool:
        """Is a number surely no value of the texts, by the groups of digits in theirs?

        Some are none that are not said to be: a round one may be 2 thousand there, and 0.125 may be 12.5 %.
        """
        if self._groups is None:
            self._groups = frozenset(digit_groups(self._utf8))
        groups = self._groups
        if figure.isdigit():
            return not figure.endswith(b"00") and figure not in groups and figure[-3:] not in groups
        if _DECIMAL.fullmatch(figure) is None or (figure.startswith(b"0") and any("%" in one for one in self._texts)):
            return False
        last = _GROUPS.findall(figure)[-1]
        return groups.isdisjoint((last, last + b"0", last + b"00"))


def compare(text: str, numbers: Numbers) -> tuple[list[str], list[str]]:
    """The values of a text as they are written: those that other texts have too, and those that they have not."""
    known: list[str] = []
    unknown: list[str] = []
    for value in islice(values(text), _MOST):
        written = text[value.start : value.end]
        found = written.encode() in numbers.written
        if not found and not (written[-1].isdigit() and numbers.lack(written.encode())):
            found = _is_known(value, written, numbers.readings)
        (known if found else unknown).append(written)
    return known, unknown


def is_plain(figure: bytes, text: str) -> bool:
    """Is a number of a text surely no part of a date, a time of day or a number in words, each time that it occurs?

    Numbers of more than two digits are none that begin one.
    """
    if len(figure) > 2 and figure.isdigit():
        return True
    written, at = figure.decode(), -1
    for _ in range(_MOST_PLACES):
        at = text.find(written, at + 1)
        if at < 0:
            return True
        around = text[max(0, at - _NEAR) : at + len(written) + _NEAR]
        if not around.isascii() or not _SPECIAL.isdisjoint(_WORDS.findall(around.lower())):
            return False
    return False


def _ways(text: str, value: Value) -> Iterator[str]:
    """In which ways other texts may write a value."""
    yield from value.readings
    for reading in value.readings:
        if len(reading) == 10 and reading[4] == "-":
            yield reading[5:]
            yield reading[:7]
    if not value.readings or "-" in value.readings[0] or ":" in value.readings[0]:
        yield from [digits.lstrip("0") or "0" for digits in _DIGITS.findall(text[value.start : value.end])]


def _is_known(value: Value, written: str, known: AbstractSet[str]) -> bool:
    """Is a value among the known ones, or are the two that a space may join in it?"""
    if not known.isdisjoint(value.readings):
        return True
    parts = written.split(" ")
    return len(parts) > 1 and all(part in known for part in parts)


def _value(text: str, found: re.Match[str]) -> Value:
    start, end = found.span()
    if found["year"]:
        return Value(start, end, _date(found["year"], found["month"], found["day"]))
    if found["last"]:
        one, two, year = found["one"], found["two"], found["last"].rjust(4, "0").replace("00", "20", 1)
        return Value(start, end, _date(year, two, one) + _date(year, one, two) or (found[0],))
    if found["year2"]:
        return Value(start, end, (found[0],))
    if found["month2"]:
        return Value(start, end, _date("", found["month2"], found["day2"]))
    if found["hour"]:
        return Value(start, end, (_time(text, found),))
    if found["version"]:
        return Value(start, end, (found["version"],))
    return _named_date(text, start, end, found["number"]) or _number(text, start, end, found)


def _date(year: str, month: str, day: str) -> tuple[str, ...]:
    if not (0 < int(month) <= 12 and 0 < int(day) <= 31):
        return ()
    return (f"{year}-{int(month):02}-{int(day):02}" if year else f"{int(month):02}-{int(day):02}",)


def _time(text: str, found: re.Match[str]) -> str:
    hour = int(found["hour"])
    minute = int(found["minute"] or found["minute2"] or found["minute3"] or found["minute4"] or 0)
    half = found["half"] or ("p" if _PM.search(text[max(0, found.start() - 4) : found.start()]) else "")
    if half and hour <= 12:
        hour = hour % 12 + (12 if half in "pP" else 0)
    return f"{hour % 24}:{minute:02}"


def _named_date(text: str, start: int, end: int, number: str) -> Value | None:
    """A day with the name of a month, before or after it."""
    if len(number) == 4:
        return _month(text, start, end, number)
    if len(number) > 2:
        return None
    before = _BEFORE.search(text[max(0, start - 18) : start])
    month = MONTHS.get(before[1].lower()) if before else None
    if before and month:
        year = _AFTER_DAY.match(text, end)
        readings = _date(year[1] if year else "", str(month), number)
        return Value(start - len(before[0]), year.end() if year else end, readings)
    after = _AFTER.match(text, end)
    month = MONTHS.get(after[1].lower()) if after else None
    if after and month:
        year = _YEAR.match(text, after.end())
        return Value(start, year.end() if year else after.end(), _date(year[1] if year else "", str(month), number))
    return None


def _month(text: str, start: int, end: int, year: str) -> Value | None:
    """A year after the name of a month."""
    before = _BEFORE.search(text[max(0, start - 18) : start])
    month = MONTHS.get(before[1].lower()) if before else None
    return Value(start - len(before[0]), end, (f"{year}-{month:02}",)) if before and month else None


def _number(text: str, start: int, end: int, found: re.Match[str]) -> Value:
    numbers = list(dict.fromkeys(_readings(found["number"], found["separator"])))
    if percent := _PERCENT.match(text, end):
        return Value(start, percent.end(), tuple(numbers + [_plain(float(one) / 100) for one in numbers]))
    word = _SCALE.match(text, end)
    scales = _SCALES.get(word[1].lower()) if word else None
    if word and scales:
        return Value(start, word.end(), tuple([_plain(float(one) * scale) for one in numbers for scale in scales]))
    return Value(start, end, tuple(numbers))


def _readings(number: str, separator: str | None) -> Iterator[str]:
    """What a number may be: a single separator before three digits may be one of thousands or a decimal one."""
    if len(number) > _LONGEST:
        yield number
        return
    if separator is None and number.count(",") > 1:
        separator = ","
    if separator is None:
        yield _plain(float(number.replace(",", ".")))
        return
    whole, _, rest = number.rpartition("," if separator == "." or (separator != "," and "," in number) else ".")
    if whole and separator not in rest:
        yield _plain(float(re.sub(r"\D", "", whole) + "." + rest))
        return
    yield _plain(float(re.sub(r"\D", "", number)))
    if number.count(separator) == 1 and separator in ".,":
        yield _plain(float(number.replace(",", ".")))


def _plain(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
