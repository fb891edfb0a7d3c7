"""How far sentences are supported by documents: words, numbers and names that occur nowhere; knows no verdict."""

from math import log1p

from msgspec import Struct

from .facts import Conflicts, conflicts
from .scan import names
from .sources import Source
from .vocabulary import Vocabulary
from .words import SENTENCE_ENDS, Reading, in_lines, sentences, spaced, utf8

_COMPARED = 300
"""Sentences that are compared with a document's facts."""

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

_NUMERALS = {
    b"one": b"1", b"two": b"2", b"three": b"3", b"four": b"4", b"five": b"5",
    b"six": b"6", b"seven": b"7", b"eight": b"8", b"nine": b"9", b"ten": b"10",
}  # fmt: skip
_NUMERALS |= {digits: word for word, digits in _NUMERALS.items()}
_NUMERAL = Vocabulary(b" ".join(_NUMERALS))
_NOTHING = Vocabulary(b"")


class Support(Struct, frozen=True, gc=False):
    """What of a text is unsupported: of so many words of content these, of them names, and conflicts with facts."""

    content: int
    strange: Vocabulary
    names: int
    conflicts: Conflicts

    @property
    def share(self) -> float:
        """The share of the words of content that is unsupported."""
        return min(1.0, len(self.strange) / self.content)

    def features(self) -> tuple[float, ...]:
        """The numbers that weights are fitted for, in the order of NAMES."""
        conflicts = self.conflicts
        return (
            log1p(len(self.strange)),
            self.share,
            log1p(self.names),
            log1p(conflicts.contradicted),
            log1p(conflicts.unknown),
            log1p(conflicts.times),
        )


NAMES = ("words", "share", "names", "contradicted", "unknown", "times")
"""The features of Support."""

_NO_CONFLICTS = Conflicts()


def support(reading: Reading, source: Source) -> Support | None:
    """Compare a text with documents; None where it has no word of content."""
    content, strange = reading.vocabulary.against(source.words, COMMON)
    if not content:
        return None
    if _NUMERAL.overlap(strange):
        strange = _without_known_numerals(strange, source)
    return Support(content, strange, _named(strange, reading.text) if strange else 0, _conflicts(reading, source))


def strangest(found: Support, reading: Reading) -> list[str]:
    """The three sentences, or fewer, of whose words the largest share is strange."""
    lines = reading.text if reading.text.isascii() else in_lines(reading.text)
    plain = spaced(lines)
    places = found.strange.densest(plain, SENTENCE_ENDS if plain is lines else b"")
    if isinstance(plain, str):
        return [plain[start:end] for start, end in places]
    return [lines.split("\n")[plain.count(b"\n", 0, start)] for start, _ in places]


def _conflicts(reading: Reading, source: Source) -> Conflicts:
    if source.facts is None:
        return _NO_CONFLICTS
    lines = [b" " + b" ".join(words.split()) + b" " for _, words in sentences(reading.text)[:_COMPARED]]
    return conflicts(source.facts, lines, reading.text)


def _named(words: Vocabulary, text: str) -> int:
    """How many words the text writes with a capital elsewhere than at a sentence's start."""
    return Vocabulary(names(utf8(text))).overlap(words)


def _without_known_numerals(strange: Vocabulary, source: Source) -> Vocabulary:
    """The words less the numerals that are known, but written the other way."""
    words = strange.words()
    otherwise = Vocabulary(b" ".join([_NUMERALS[word] for word in words if word in _NUMERALS]))
    unknown = {_NUMERALS[word] for word in otherwise.against(source.words, _NOTHING)[1].words()}
    return Vocabulary(b" ".join([word for word in words if word not in _NUMERALS or word in unknown]))
