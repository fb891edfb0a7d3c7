"""Guesses a text's language from its script and its small words; says None rather than guess badly."""

from collections import Counter
from typing import Literal

from .words import plain, read

Language = Literal["en", "de", "fr", "es", "it", "pt", "nl", "ru", "zh", "ja", "ko", "ar"]

_SMALL_WORDS: dict[Language, str] = {
    "en": "the and of to is that it for with was this are not you have be on as at by",
    "de": "der die und das ist nicht ein eine mit für auf den von zu im sich auch wird wie aus",
    "fr": "le la les et des est pas une pour dans que qui sur avec du vous ce au plus sont",
    "es": "el los las y que es una por con para del se no como más pero lo su está son",
    "it": "il che di è per una non con del sono della gli nel più anche come si ma questo dei",
    "pt": "o que do da em uma não para com os no na se mais como mas ao você dos são",
    "nl": "de het een en van is niet dat op te met voor zijn ook aan maar wordt bij naar uit",
}
_LANGUAGES_OF: dict[bytes, list[Language]] = {}
for _language, _words in _SMALL_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF.setdefault(_word.encode(), []).append(_language)

_SCRIPTS: tuple[tuple[int, int, Language], ...] = (
    (0x0400, 0x04FF, "ru"),
    (0x0600, 0x06FF, "ar"),
    (0x3040, 0x30FF, "ja"),
    (0xAC00, 0xD7AF, "ko"),
    (0x4E00, 0x9FFF, "zh"),
)
_FEWEST_HITS = 3
_LOOKED_AT = 4000


def language_of(text: str) -> Language | None:
    """The language of a text, or None where it is too short, too mixed or none that is known here."""
    return _by_script(text[:_LOOKED_AT]) or _by_words(text[:_LOOKED_AT])


def _by_script(text: str) -> Language | None:
    if text.isascii():
        return None
    letters = [ord(char) for char in text if char.isalpha()]
    counts = {name: sum(low <= code <= high for code in letters) for low, high, name in _SCRIPTS}
    if counts["ja"] > 0.05 * len(letters):  # Japanese mixes kana with the characters that it shares with Chinese
        return "ja"
    name = max(counts, key=lambda one: counts[one])
    return name if counts[name] > 0.5 * len(letters) else None


def _by_words(text: str) -> Language | None:
    hits: Counter[Language] = Counter()
    for word in plain(read(text).text).split():
        hits.update(_LANGUAGES_OF.get(word, ()))
    first, second = [*hits.most_common(2), ("en", 0), ("en", 0)][:2]
    return first[0] if first[1] >= _FEWEST_HITS and first[1] > 1.3 * second[1] else None
