"""A user's text → features stored for comparison with the next text: marks, and a 16-bit hash of each content word."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from struct import pack, unpack
from typing import Final
from unicodedata import normalize
from zlib import crc32

from msgspec import Struct

from ..records.feedback import QuestionSketch
from .lexicon import ASKING, CONCEPTS, KINDS, MARKS, NEGATION, NOTHING, OPENING, WEAK, WordMark

LONGEST: Final = 2000
"""Characters of a text whose words are looked at; of all of them there is a checksum."""

_UNSPACED: Final = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_CLAUSE: Final = re.compile(rf"[.!?;:,…]+(?=\s|$|[{_UNSPACED}])|[\n\"“”„«»()¿¡。！？；：，、「」]+")
_TOKEN: Final = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}]+(?:['\-./:@][^\W{_UNSPACED}]+)*")
_ELIDED: Final = re.compile(r"\b(qu|[ldjnstmc])'(?=\w)|(?<=\w)'(?=s\b)|(?<=[^\W\d])[-/.@](?=[^\W\d])")
_NUMBER: Final = re.compile(r"\d")
_IS_UNSPACED: Final = re.compile(f"[{_UNSPACED}]")
_HIRAGANA: Final = re.compile("[\u3040-\u309f]")
_KATAKANA: Final = re.compile("[\u30a0-\u30ff]+")
_EDGES: Final = ".,!?;:…\"'`“”„«»‘’¿¡。！？；：，、「」『』"
_ENDINGS: Final = (
    *("ciones", "ations", "ation", "ungen", "ments", "iendo", "ungs", "ings", "cion", "ment", "ando"),
    *("ung", "ing", "ees", "est", "ee", "ed", "er", "en", "em", "es", "te", "as", "os", "ar", "ir"),
    *("e", "s", "t", "n", "a", "o"),
)
"""Endings of words in Latin letters, the longest first."""
_SHORTEST_STEM: Final = 4
_SILENT: Final = ~(WordMark.MORE | WordMark.ACT | WordMark.VALUE)
"""Words with marks but these are no content, unless they have a concept."""
_HOLLOW: Final = (
    WordMark.NOISE | WordMark.MORE | WordMark.THANKS | WordMark.GIVE_UP | WordMark.SOLVED | WordMark.VALUE
).value
_LEADING: Final = (WordMark.NOISE | WordMark.MORE | WordMark.ASK | WordMark.WANT).value
_VALUE: Final = WordMark.VALUE.value
_RELATIVE: Final = WordMark.WHO | WordMark.WHERE | WordMark.WHEN
"""Words that ask, and in a statement join two of its parts."""
_FEWEST, _FEW_WORDS, _SOME_WORDS = 2, 5, 10
_SPEAKERS: Final = frozenset(
    {"i", "i'm", "i've", "i'd", "i'll", "we", "ich", "wir", "je", "j", "nous", "yo", "我", "我 们"}
)
_STATEMENT: Final = 4
"""Words from which on a text that asks for nothing says enough to be recognised."""


class Meaning(Struct, frozen=True):
    """What a word or phrase stands for: marks of its text, and a concept; without one it is no content.

    ``marks`` are a Mark's value: to combine members of an enumeration for each word takes longer than all the rest.
    """

    marks: int = 0
    concept: str = ""
    is_weak: bool = False


def folded(text: str) -> str:
    """Lower case, without the accents of Latin letters, in Unicode compatibility form."""
    if text.isascii():
        return text.lower()
    text = normalize("NFKC", text).lower().replace("’", "'").replace("ß", "ss")
    kept = [letter for letter in normalize("NFD", text) if not "\u0300" <= letter <= "\u036f"]
    return normalize("NFC", "".join(kept))


def stem(word: str) -> str:
    """A word without its usual endings and doubled letters, so that most of its forms are one."""
    for _ in range(2):
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
                word = word[: -len(ending)]
                break
    return word[:1] + "".join([after for before, after in pairwise(word) if before != after])


def _pieces(clause: str) -> list[str]:
    """Words of folded text, elided ones apart; characters of unspaced scripts stand alone."""
    found: list[str] = []
    is_spaced = clause.isascii()
    for token in _TOKEN.findall(clause):
        if not is_spaced and _IS_UNSPACED.match(token):
            found += token
        elif token.isalnum() or _NUMBER.search(token):
            found.append(token)
        else:
            found += _ELIDED.sub(r"\1 ", token).split()
    return found


def _entries(table: str) -> Iterator[tuple[str, ...]]:
    for entry in table.replace("\n", ",").split(","):
        if pieces := _pieces(folded(entry)):
            yield tuple(pieces)


Phrases = dict[tuple[str, ...], Meaning]


def _read() -> tuple[Phrases, dict[str, Meaning]]:
    """The lexicon by phrase, and the concepts of its single words by stem."""
    phrases: Phrases = {}
    stems: dict[str, Meaning] = {}
    for concept, words in CONCEPTS.items():
        for entry in _entries(words):
            phrases.setdefault(entry, Meaning(concept=concept))
            if len(entry) == 1:
                stems.setdefault(stem(entry[0]), Meaning(concept=concept))
    for entry in _entries(WEAK):
        concept = phrases[entry].concept if entry in phrases else stem("".join(entry))
        stems[stem(entry[0])] = phrases[entry] = Meaning(concept=concept, is_weak=True)
    phrases |= dict.fromkeys(_entries(NOTHING), Meaning())
    for mark, table in MARKS.items():
        for entry in _entries(table):
            known = phrases.get(entry, Meaning())
            concept = known.concept or ("" if mark & _SILENT else stem("".join(entry)))
            phrases[entry] = Meaning(known.marks | mark.value, concept, known.is_weak)
    for entry in _entries(NEGATION):
        phrases[entry] = Meaning(concept="not")
    return phrases, stems


_PHRASES, _STEMS = _read()
_OPENING: Final = frozenset(_entries(OPENING))
_STARTS: Final = frozenset(entry[:2] for entry in _PHRASES if len(entry) > 1)
_FIRST_OF_PHRASES: Final = frozenset(first for first, _ in _STARTS)
_MOST_PIECES: Final = max(map(len, _PHRASES))
_ENGLISH: Final = frozenset({"the", "a", "of", "my", "is", "does", "what", "with", "you", "and", "for", "to"})
_NOT_ENGLISH: Final = frozenset({"hat", "die", "war", "man"})
"""Small words in German, in an English text words of their own."""
_NO: Final = (("no",), ("non",), ("不",))
"""Clauses that decline or contradict, and negate nothing."""


def question(text: str) -> QuestionSketch:
    """What is kept of a text."""
    head = folded(text[:LONGEST])
    words = _read_as_english(list(_words(head)))
    told = 0
    for _, meaning in words:
        told |= meaning.marks
    marks = WordMark(told)
    if "?" in head:
        marks |= WordMark.ASK
    elif not marks & (ASKING & ~WordMark.WHAT) and words and not words[0][1].marks & _RELATIVE:
        marks &= ~_RELATIVE
    if marks & (KINDS & ~WordMark.POLAR | WordMark.WHAT):
        marks &= ~WordMark.POLAR
    if _IS_UNSPACED.search(head):
        marks |= WordMark.UNSPACED
    if _is_repeatable(words, marks):
        marks |= WordMark.REPEATABLE
    content = [meaning for _, meaning in words if meaning.concept and not meaning.marks & _VALUE]
    return QuestionSketch(
        same=_same(head, text[LONGEST:]),
        bag=crc32(" ".join(sorted(" ".join([word for word, _ in words]).split())).encode("utf-8", "replace")),
        order=crc32(" ".join([one.concept for one in content if not one.is_weak]).encode("utf-8", "replace")),
        marks=marks.value,
        length=len(words) if len(text) <= LONGEST else LONGEST,
        content=_packed({_bits(name) for one in content if not one.is_weak for name in one.concept.split("+")}),
        weak=_packed({_bits(one.concept) for one in content if one.is_weak}),
        values=b"".join([pack("<H", _bits(one.concept)) for _, one in words if one.marks & _VALUE]),
    )


def _read_as_english(words: list[tuple[str, Meaning]]) -> list[tuple[str, Meaning]]:
    """The words, where a text is English those that are small words in German alone as what they are."""
    if not any(word in _ENGLISH for word, _ in words):
        return words
    return [(word, Meaning(concept=word) if word in _NOT_ENGLISH else meaning) for word, meaning in words]


def _same(head: str, rest: str) -> int:
    pieces = [stripped for piece in head.split() if (stripped := piece.strip(_EDGES))]
    return crc32(rest.encode("utf-8", "replace"), crc32(" ".join(pieces).encode("utf-8", "replace")))


def _words(text: str) -> Iterator[tuple[str, Meaning]]:
    """Each word or phrase, the longest that is known, and what it stands for."""
    for clause in _CLAUSE.split(text):
        pieces = _pieces(clause)
        if tuple(pieces) in _NO:
            yield "no", Meaning(WordMark.NOISE.value)
            continue
        at = _opening(pieces)
        if at:
            yield " ".join(pieces[:at]), Meaning(WordMark.POLAR.value)
        while at < len(pieces):
            piece = pieces[at]
            if piece.isascii() and piece not in _FIRST_OF_PHRASES:  # as most words are
                yield piece, _alone(piece)
                at += 1
            else:
                length, meaning = _longest(pieces, at)
                yield " ".join(pieces[at : at + length]), meaning
                at += length


def _opening(pieces: list[str]) -> int:
    """How many words make of a clause a question that yes or no answers."""
    for length in (3, 2, 1):
        if tuple(pieces[:length]) in _OPENING:
            known, _ = _longest(pieces, 0)
            return length if length >= known else 0
    return 0


def _longest(pieces: list[str], at: int) -> tuple[int, Meaning]:
    if tuple(pieces[at : at + 2]) in _STARTS:
        for length in range(min(_MOST_PIECES, len(pieces) - at), 1, -1):
            if meaning := _PHRASES.get(tuple(pieces[at : at + length])):
                return length, meaning
    piece = pieces[at]
    if _KATAKANA.match(piece) and (piece,) not in _PHRASES:
        run = _KATAKANA.match("".join(pieces[at:]))
        name = run.group() if run else piece
        return len(name), Meaning(concept=name)
    return 1, _alone(piece)


def _alone(piece: str) -> Meaning:
    """What a word stands for by itself."""
    return _kept_word(piece) if len(piece) <= _LONGEST_KEPT else _word(piece)


def _word(piece: str) -> Meaning:
    if meaning := _PHRASES.get((piece,)):
        return meaning
    if _NUMBER.search(piece):
        return Meaning(_VALUE, piece)
    if _HIRAGANA.match(piece):
        return Meaning()
    root = stem(piece)
    return _STEMS.get(root) or Meaning(concept=root)


_kept_word = lru_cache(maxsize=8192)(_word)
"""The same of words that were met lately: most words of a text are."""
_LONGEST_KEPT: Final = 32


def _is_repeatable(words: list[tuple[str, Meaning]], marks: WordMark) -> bool:
    """Whether who sends a text again wants another answer to it: a question or a task, no "next" and no "run it"."""
    substance = sum(1 for word, one in words if one.concept and not one.marks & _HOLLOW and not _is_letter(word))
    if not substance or len(words) < _FEWEST:
        return False
    if marks & (WordMark.THANKS | WordMark.GIVE_UP) and not marks & (KINDS | ASKING):
        return False
    if marks & WordMark.MORE and len(words) <= (_FEW_WORDS if marks & KINDS else _SOME_WORDS):
        return False
    if not marks & KINDS:
        first = next((one for _, one in words if not one.marks & _LEADING), Meaning())
        if first.marks & WordMark.ACT:
            return False
    if marks & (KINDS | ASKING) or not any(word in _SPEAKERS for word, _ in words):
        return True
    return substance > 1 and len(words) >= _STATEMENT


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isascii()


def _bits(word: str) -> int:
    return crc32(word.encode("utf-8", "replace")) & 0xFFFF


def _packed(bits: Iterable[int]) -> bytes:
    ordered = sorted(bits)
    return pack(f"<{len(ordered)}H", *ordered)


def bits_of(packed: bytes) -> frozenset[int]:
    """The words of which these bits were packed."""
    return frozenset(unpack(f"<{len(packed) // 2}H", packed))
