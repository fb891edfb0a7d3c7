"""How assistants decline in the languages that `refusal` knows: patterns, no weights.

Texts are matched in lower case, sentence by sentence, with one space between words, before the first and after the
last; a comma is a word. ``…`` stands for up to eight words without a comma. Chinese, Japanese and Korean are matched
without any spaces or marks.
"""

from msgspec import Struct


class Phrases(Struct, frozen=True, kw_only=True):
    """A sentence declines that says ``outright``, or ``cannot`` near what ``serves``, or ``sorry`` and ``cannot``.

    What is ``hedged`` is left out before; ``absent`` says that what was retrieved does not hold the answer; a sentence
    or the next one that ``helps`` makes it an answer.
    """

    outright: str
    cannot: str
    serves: str
    sorry: str
    hedged: str
    helps: str
    absent: str
