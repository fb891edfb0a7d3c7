"""Text of any script made ready for comparing words: one form for each character, words where no spaces are.

In scripts without spaces, two neighbouring characters (in Thai and its kin three) stand for a word; Hiragana, which is
grammar in the main, and the commonest Chinese particles end one.
"""

import re
from unicodedata import is_normalized, normalize

_SUPERSCRIPTS = re.compile("[\u00b2\u00b3\u00b9\u2070-\u209c]+")
_UNSEEN = re.compile("[\u00ad\u0640\u064b-\u0652\u200b-\u200d\u2060\ufeff]")
_DIGITS = {zero + digit: str(digit) for zero in (0x660, 0x6F0, 0x966, 0xE50) for digit in range(10)}
_DIGITS |= {0x66B: ".", 0x66C: ","}
_MAY_BE_DIGITS = re.compile("[\u0660-\u066c\u06f0-\u06f9\u0966-\u096f\u0e50-\u0e59]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]")
_PAIRED = re.compile("[\u3400-\u9fff\uf900-\ufaff]+")
_TRIPLED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]+")
_PARTICLES = re.compile(
    "[\u3040-\u309f\u3000-\u3029的了是在和与有也就都而及着或被把对为以于这那我你他她它们个吗呢吧啊请]+"
)
_KATAKANA = re.compile("[\u30a0-\u30ff]+")
_ENDINGS = re.compile(
    "(?<=[\uac00-\ud7a3]{2})(?:은|는|이|가|을|를|에|의|로|과|와|도|만|에서|으로|까지|부터|입니다|합니다|됩니다|이며|하며)\\b"
)


def composed(text: str) -> str:
    """The text in Unicode's composed, compatible form (NFKC), without superscripts and what is not seen."""
    if text.isascii():
        return text
    text = _UNSEEN.sub("", _SUPERSCRIPTS.sub(" ", text))
    if _MAY_BE_DIGITS.search(text):
        text = text.translate(_DIGITS)
    return text if is_normalized("NFKC", text) else normalize("NFKC", text)


def is_unspaced(text: str) -> bool:
    """Is anything in a script that sets no spaces between words, or sets them between more than words?"""
    return not text.isascii() and _UNSPACED.search(text) is not None


def in_words(text: str) -> str:
    """The text with spaces between what stands for words in unspaced scripts."""
    text = _KATAKANA.sub(r" \g<0> ", _ENDINGS.sub("", _PARTICLES.sub(" ", text)))
    return _TRIPLED.sub(lambda run: _runs(run[0], 3), _PAIRED.sub(lambda run: _runs(run[0], 2), text))


def _runs(text: str, length: int) -> str:
    """Each run of so many characters, between spaces."""
    return f" {' '.join([text[at : at + length] for at in range(max(1, len(text) - length + 1))])} "
