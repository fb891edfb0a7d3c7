"""How far sentences are supported by documents: words, numbers and names that occur nowhere; knows no verdict."""

import re
from collections.abc import Sequence
from math import log1p

from msgspec import Struct

from .claims import Conflicts, conflicts
from .numerals import without_known
from .scan import names
from .scripts import is_unspaced
from .sources import Source
from .values import MONTHS, compare, is_plain
from .vocabulary import Vocabulary
from .words import SENTENCE_ENDS, ReadText, compared, in_lines, utf8

COMMON = Vocabulary(
    b"""a about above after again against all also although am an and another any are as at be because been before being
    below between both but by can could did do does doing done down during each either else etc even ever every few for
    from further had has have having he her here hers him his how however i if in including into is isn it its itself
    just least less like ll made make makes many may me might more most much must my neither no nor not now of off often
    on once one only onto or other others our out over own per rather re s same she should since so some such t than
    that the their them then there therefore these they this those through thus to together too towards under until up
    upon us use used using very via was we well were what when where whether which while who whom whose why will with
    within without would you your yours yes d don doesn didn won ve m
    according additionally answer article articles based context document documents example following furthermore given
    here important include included includes information known mentioned moreover note overall passage passages please
    provided question related source sources specific specifically summary text various"""
)
"""Words that claim nothing: grammar, and what answers say about the documents rather than about the world."""

_DIGITS = re.compile("[0-9]+")
_GROUPS = re.compile(rb"[0-9]+")
_BREAKS = (". ", "! ", "? ", "\u3002")
_LONGEST_SENTENCE = 1000
_FEW = 50
"""Numbers of an answer that are each looked at in its text."""

_UNIT = re.compile(rb"([0-9]+)([^0-9]*)")
_NOTHING = Vocabulary(b"")
_MONTHS = Vocabulary(" ".join(MONTHS))
_NUMBERS_MATTER = 5
"""Words of content of a text in which a wrong number makes all wrong."""


class Support(Struct, frozen=True, gc=False):
    """The unsupported words of a text, out of its content words, and its conflicts with facts.

    ``names``: how many of the strange words are names; ``strange_numbers``: how many are numbers; ``unasked``: how many
    the question has not. ``last``: the strange share of the last sentence. ``numbers``: how many words of the text are
    numbers. ``number_share``: the unsupported share of them, less in a text in which numbers are not the main thing.
    """

    content: int
    strange: Vocabulary
    conflicts: Conflicts
    structured: bool
    names: int = 0
    unasked: int = 0
    last: float = 0.0
    numbers: int = 0
    number_share: float = 0.0
    strange_numbers: int = 0

    @property
    def share(self) -> float:
        """The share of the words of content that is unsupported."""
        return min(1.0, len(self.strange) / self.content)

    def features(self) -> tuple[float, ...]:
        """The numbers that weights are fitted for, in the order of PROSE or, of structured documents, of FIELDS."""
        words, share, names = log1p(len(self.strange)), self.share, log1p(self.names)
        strange_numbers = log1p(self.strange_numbers)
        if not self.structured:
            return words, share, names, strange_numbers, log1p(self.unasked), self.last, log1p(self.numbers)
        found = self.conflicts
        counts = (found.affirmed, found.denied, found.invented, found.excluded, found.hours, found.times)
        return words, share, names, strange_numbers, *map(log1p, counts)


PROSE = ("words", "share", "names", "strange_numbers", "unasked", "last", "numbers")
FIELDS = (
    *("words", "share", "names", "strange_numbers"),
    *("affirmed", "denied", "invented", "excluded", "hours", "times"),
)
"""The features of Support, against prose and against structured documents."""

_NO_CONFLICTS = Conflicts()


def support(reading: ReadText, source: Source, question: str = "") -> Support | None:
    """Compare a text with documents; None where it has no word of content."""
    content, strange = _words(reading).against(source.words, COMMON)
    if not content:
        return None
    strange = without_known(_by_value(strange, reading.text, source), source.words)
    found = _conflicts(reading, source)
    numbers = reading.vocabulary.numbers()
    if not strange:
        return Support(content, strange, found, source.structured, numbers=numbers)
    wrong = [word for word in strange.digits_first() if word.isdigit()]
    return Support(
        content,
        strange,
        found,
        source.structured,
        strange.overlap(names(utf8(reading.text))),
        len(strange) - (strange.overlap(compared(question)) if question else 0),
        0.0 if source.structured else _last_share(strange, reading.text),
        numbers,
        _number_share(wrong, numbers, content) if wrong else 0.0,
        len(wrong),
    )


def strangest(found: Support, reading: ReadText) -> list[str]:
    """The three sentences, or fewer, of whose words the largest share is strange."""
    lines = reading.text if reading.text.isascii() else in_lines(reading.text)
    plain = compared(lines)
    places = found.strange.densest(plain, SENTENCE_ENDS if plain is lines else b"")
    if isinstance(plain, str):
        return [plain[start:end] for start, end in places]
    return [lines.split("\n")[plain.count(b"\n", 0, start)] for start, _ in places]


def _words(reading: ReadText) -> Vocabulary:
    return Vocabulary(compared(reading.text)) if is_unspaced(reading.text) else reading.vocabulary


def _number_share(wrong: Sequence[bytes], numbers: int, content: int) -> float:
    # A number of one digit is often a count of what is listed.
    weight = len(wrong) * (1.0 if max(map(len, wrong)) > 1 else 0.25)
    return min(1.0, weight / max(1, numbers)) * min(1.0, weight * _NUMBERS_MATTER / content)


def _last_share(strange: Vocabulary, text: str) -> float:
    """The strange share of the words of a text's last sentence; of fewer words than three it counts as of three."""
    text = text[-_LONGEST_SENTENCE:].rstrip()
    last = len(text) - 1
    start = text.rfind("\n", 0, last)
    for end in _BREAKS:
        at = text.rfind(end, start + 1, last)
        start = max(start, at)
    return strange.share(compared(text[start + 1 :]), COMMON)


def _conflicts(reading: ReadText, source: Source) -> Conflicts:
    if source.facts is None:
        return _NO_CONFLICTS
    return conflicts(source.facts, in_lines(reading.text).split("\n"))


def _by_value(strange: Vocabulary, text: str, source: Source) -> Vocabulary:
    """The strange words, where those of values are strange exactly if no document has that value."""
    numbers = source.numbers
    other = numbers.others(text)
    if not other and not _MONTHS.overlap(strange):
        return _without_units(strange, source)
    if 0 < len(other) <= _FEW and all(numbers.lack(figure) and is_plain(figure, text) for figure in other):
        joined = b" ".join(other)
        if set(_GROUPS.findall(joined)).issubset(strange.digits_first()):
            return strange
        return Vocabulary(b" ".join([*strange.words(), joined]))
    words = strange.words()
    known, unknown = compare(text, numbers)
    digits = [number.encode() for written in unknown for number in _DIGITS.findall(written)]
    supported = set(Vocabulary(compared("\n".join(known))).words()).difference(digits)
    rest = _without_units(Vocabulary(b" ".join([word for word in words if word not in supported])), source)
    return Vocabulary(b" ".join([*rest.words(), *digits]))


def _without_units(strange: Vocabulary, source: Source) -> Vocabulary:
    """The strange words less those like 5kg of which the documents have both parts, and like 5 of which they have 5kg.

    Of a text all of whose numbers are in the documents as they are written, or are strange words.
    """
    parts = {word: found.groups() for word in strange.digits_first() if (found := _UNIT.fullmatch(word))}
    if not parts:
        return strange
    units = set(Vocabulary(b" ".join([unit for _, unit in parts.values()])).against(source.words, _NOTHING)[1].words())
    known = {word for word, (number, unit) in parts.items() if number in source.numbers.written and unit not in units}
    return Vocabulary(b" ".join([word for word in strange.words() if word not in known]))
