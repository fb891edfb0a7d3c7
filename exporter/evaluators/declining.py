"""Does a text decline, in plain words of one of the languages that are known: looks at its first sentences alone."""

import re
from typing import Any, Literal
from unicodedata import normalize

import re2
from msgspec import Struct
from msgspec.structs import asdict

from .decline_latin import LATIN
from .decline_limits import LIMITS, declining
from .decline_phrases import Phrases
from .decline_scripts import OTHER_SCRIPTS
from .languages import Language, spoken
from .scan import first_sentences

_LOOKED_AT = 480
_SENTENCES = 3
_LONG = 1500
"""Characters from which on an answer does more than decline."""

_SHORT = 400
_NEAR = 40
"""Characters between what cannot be done and that it is a service, in either order."""
_FEW_WORDS = 12
"""In texts of so few words phrases of every language are looked for: small words tell too little."""

_QUOTED = re.compile(
    r'"[^"\n]{3,200}"|“[^”\n]{3,200}[”“]|«[^»\n]{3,200}»|„[^“”\n]{3,200}[“”]|「[^」\n]{3,200}」|『[^』\n]{3,200}』'
)
_MARKS = re.compile("[\u064b-\u0652\u0640]")
_ALEF = str.maketrans("أإآىة", "اااية".replace("ة", "ه"))
_NON_LATIN = re.compile("[\u0400-\u052f\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_LATIN = tuple(LATIN)
_TOGETHER: tuple[Language, ...] = ("zh", "ja", "ko")
_SCRIPTS: tuple[tuple[str, Language], ...] = (
    ("[\u0400-\u04ff]", "ru"),
    ("[\u0600-\u06ff]", "ar"),
    ("[\u0900-\u097f]", "hi"),
    ("[\u3040-\u30ff]", "ja"),
    ("[\uac00-\ud7af]", "ko"),
    ("[\u3400-\u9fff]", "zh"),
)

Stated = Literal["declines", "absent"]


class _Compiled(Struct, frozen=True):
    """The patterns of a language; where none of those that ``decides`` joins matches there is nothing to look at."""

    outright: Any
    cannot: Any
    serves: Any
    sorry: Any
    hedged: Any
    helps: Any
    absent: Any
    decides: Any


def _compiled(language: Language, phrases: Phrases) -> _Compiled:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 32 << 20

    def pattern(*texts: str) -> Any:
        joined = "|".join(text.replace("…", "(?: [^ ,\n]+){0,8}") for text in texts)
        return re2.compile(f"(?m){joined}", options)

    written = asdict(phrases)
    written["outright"] += "|" + declining(language)
    written["absent"] += "|" + LIMITS[language].lacks
    single = {name: pattern(text) for name, text in written.items()}
    return _Compiled(**single, decides=pattern(written["outright"], written["cannot"], written["absent"]))


_COMPILED = {language: _compiled(language, phrases) for language, phrases in (LATIN | OTHER_SCRIPTS).items()}


def stated(text: str) -> Stated | None:
    """Whether the first sentences decline, or say that what was retrieved does not hold the answer."""
    if len(text) > _LONG:
        return None
    opening = unquoted(text[:_LOOKED_AT].strip())
    sentences = b""
    for language in _languages(text):
        if not sentences or language not in _LATIN:
            sentences = _sentences(opening, language)
        phrases = _COMPILED[language]
        if sentences and phrases.decides.search(sentences):
            found = _stated(sentences.decode().split("\n"), phrases, len(text))
            if found:
                return found
    return None


def hedged(text: str) -> bool:
    """Whether an English answer that says what it cannot know goes on to help."""
    english = _COMPILED["en"]
    sentences = _sentences(unquoted(text[:_LOOKED_AT]), "en")
    return any(english.helps.search(one) for one in sentences.split(b"\n"))


def _languages(text: str) -> tuple[Language, ...]:
    """The languages that a text may be in, of those whose phrases are known."""
    opening = text[:_LOOKED_AT]
    if opening.isascii() or not _NON_LATIN.search(opening):
        seen = spoken(text) if opening.count(" ") > _FEW_WORDS else None
        return _LATIN if seen is None or seen not in _LATIN else (seen,)
    return tuple(language for script, language in _SCRIPTS if re.search(script, opening))


def unquoted(text: str) -> str:
    """The text without what it quotes, unless it is a quotation."""
    if '"' not in text and text.isascii():
        return text
    bare = _QUOTED.sub(" ", text)
    return bare if len(bare.split()) > 1 or len(bare) > len(text) // 3 else text


def _sentences(text: str, language: Language) -> bytes:
    """The first sentences in lower case, one to a line: words between single spaces, or without any.

    A comma is a word.
    """
    if text.isascii():
        return first_sentences(text, _SENTENCES)
    text = normalize("NFC", text.lower())
    if language == "ar":
        text = _MARKS.sub("", text).translate(_ALEF)
    sentences = first_sentences(text.encode("utf-8", "replace"), _SENTENCES)
    return sentences.replace(b" ", b"").replace(b",", b"") if language in _TOGETHER else sentences


def _stated(sentences: list[str], phrases: _Compiled, length: int) -> Stated | None:
    for place, said in enumerate(sentences):
        sentence = phrases.hedged.sub(" # ", said)
        if phrases.absent.search(sentence) and length <= _SHORT:
            return "absent"
        declines = phrases.outright.search(sentence) or (
            phrases.cannot.search(sentence)
            and (
                _near(phrases.cannot, phrases.serves, sentence)
                or (phrases.sorry.search(sentence) and length <= _SHORT // 2)
            )
        )
        if declines and length <= _LONG and not _helps(sentences[place : place + 2], phrases):
            return "declines"
    return None


def _near(one: Any, other: Any, sentence: str) -> bool:
    spans = [found.span() for found in other.finditer(sentence)]
    return any(
        start - found.end() <= _NEAR and found.start() - end <= _NEAR
        for found in one.finditer(sentence)
        for start, end in spans
    )


def _helps(sentences: list[str], phrases: _Compiled) -> bool:
    return any(phrases.helps.search(one) for one in sentences)
