"""How far sentences are supported by documents: words, numbers and names that occur nowhere; knows no verdict."""

import re
from collections.abc import Sequence
from itertools import chain
from math import log1p

from msgspec import Struct

from .facts import Conflicts, conflicts
from .sources import Source
from .words import Reading, plain

_LOOKED_UP = 200
"""Words that are looked for a second time, by their stem; beyond it a text is hopeless anyway."""

COMMON = frozenset(
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
    provided question related source sources specific specifically summary text various""".split()
)
"""Words that claim nothing: grammar, and what answers say about the documents rather than about the world."""

_SUFFIX = re.compile(
    rb"(?<=\w{4})(?:ingly|edly|ations?|ings?|ions?|ments?|ness|ers?|ies|ed|es|ly|al|e|s|y)$|(?<=\w{3})(?:ing|ed|es|s|y)$"
)
_NUMERALS = dict(
    zip(b"one two three four five six seven eight nine ten".split(), (b" %d " % n for n in range(1, 11)), strict=True)
)


class Support(Struct, frozen=True):
    """What of a text is unsupported; ``sentences`` are (share of content that is strange, place in the reading)."""

    content: int
    strange: frozenset[bytes]
    share: float
    names: int
    worst: float
    conflicts: Conflicts
    sentences: tuple[tuple[float, int], ...]

    def features(self) -> tuple[float, ...]:
        """The numbers that weights are fitted for, in the order of NAMES."""
        return (
            log1p(len(self.strange)),
            self.share,
            log1p(self.names),
            self.worst,
            log1p(self.conflicts.contradicted),
            log1p(self.conflicts.unknown),
            log1p(self.conflicts.times),
        )


NAMES = ("words", "share", "names", "worst", "contradicted", "unknown", "times")
"""The features of Support."""

_NO_CONFLICTS = Conflicts()


def support(reading: Reading, sources: Sequence[Source]) -> Support | None:
    """Compare a text with documents; None where it has no word of content."""
    content = reading.distinct - COMMON
    if not content:
        return None
    strange = _strange(content, sources)
    facts = [source.facts for source in sources if source.facts is not None]
    found = _NO_CONFLICTS
    if facts:
        sentences = tuple(b" " + b" ".join(words) + b" " for words in reading.words)
        text = "\n".join(reading.sentences)
        found = max((conflicts(one, sentences, text) for one in facts), key=_weight)
    if not strange:
        return Support(len(content), strange, 0.0, 0, 0.0, found, ())
    shares = tuple(_shares(reading, strange))
    return Support(
        content=len(content),
        strange=strange,
        share=len(strange) / len(content),
        names=_names(strange, reading),
        worst=max((share for share, _ in shares), default=0.0),
        conflicts=found,
        sentences=shares,
    )


def _weight(one: Conflicts) -> int:
    return one.contradicted + one.unknown + one.times


def _strange(content: frozenset[bytes], sources: Sequence[Source]) -> frozenset[bytes]:
    strange = content.difference(*[source.words for source in sources])
    if not strange or len(strange) > _LOOKED_UP:
        return strange
    return frozenset([word for word in strange if not _resembled(word, sources)])


def _resembled(word: bytes, sources: Sequence[Source]) -> bool:
    if len(word) < 4 or word.isdigit():
        wanted = _NUMERALS.get(word)
        return wanted is not None and any(wanted in source.text for source in sources)
    stem = b" " + _SUFFIX.sub(b"", word)
    return any(stem in source.text for source in sources)


def _shares(reading: Reading, strange: frozenset[bytes]) -> list[tuple[float, int]]:
    """Of each sentence with something strange: the share of its content that is strange, and its place."""
    found = []
    for place, words in enumerate(reading.words):
        if not strange.isdisjoint(words):
            distinct = set(words) - COMMON
            found.append((len(distinct & strange) / max(3, len(distinct)), place))
    return found


def _names(strange: frozenset[bytes], reading: Reading) -> int:
    """Strange words that the text writes with a capital elsewhere than at a sentence's start."""
    capital = [word for word in chain.from_iterable(one.split()[1:] for one in reading.sentences) if word[:1].isupper()]
    return len(strange.intersection(plain(" ".join(capital)).split())) if capital else 0
