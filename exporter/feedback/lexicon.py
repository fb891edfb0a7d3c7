"""The word lists of `lexicon.toml` in six languages, and the properties that words give a text."""

import re
import tomllib
from enum import IntFlag, auto
from importlib.resources import files
from typing import Final


class WordMark(IntFlag):
    """A property that a word or phrase gives the text that contains it."""

    WHO = auto()
    WHY = auto()
    WHERE = auto()
    WHEN = auto()
    LONG = auto()
    MUCH = auto()
    MANNER = auto()
    POLAR = auto()
    """A question that yes or no answers."""
    WHAT = auto()
    ASK = auto()
    """Something is asked for: a question mark, "please show"."""
    WANT = auto()
    """Something is wanted: "I need", "I would like to"."""
    MINE = auto()
    YOURS = auto()
    COMPLAINT = auto()
    """The answer was not one to what had been asked."""
    MEANT = auto()
    """A user puts right what was asked, or how it was understood."""
    MORE = auto()
    """Goes on from the answer: another, next, also."""
    ACT = auto()
    """Tells an agent to do something, which can be wanted twice."""
    THANKS = auto()
    GIVE_UP = auto()
    SOLVED = auto()
    FROM = auto()
    """From one place to another: the order of names matters."""
    VALUE = auto()
    """A number or one of a row of names: a weekday, a language."""
    NOISE = auto()
    """Says nothing of a question of its own: ok, next, done yet."""
    UNSPACED = auto()
    """Of the whole text: it has characters of a script without spaces."""
    REPEATABLE = auto()
    """Of the whole text: whoever sends it again asks for another answer."""


ASKING: Final = WordMark.ASK | WordMark.WANT | WordMark.WHAT
"""Something is asked for, of whatever kind."""
KINDS: Final = (
    WordMark.WHO
    | WordMark.WHY
    | WordMark.WHERE
    | WordMark.WHEN
    | WordMark.LONG
    | WordMark.MUCH
    | WordMark.MANNER
    | WordMark.POLAR
)
"""What is asked for, where a question says so."""

_READ: Final = tomllib.loads(files(__package__).joinpath("lexicon.toml").read_text("utf-8"))

MARKS: Final[dict[WordMark, str]] = {WordMark[name]: table for name, table in _READ["marks"].items()}
CONCEPTS: Final[dict[str, str]] = _READ["concepts"]
"""Words that mean the same, by a name for what they mean."""
NOTHING: Final[str] = _READ["nothing"]
"""Words that do not say what a question is about."""
NEGATION: Final[str] = _READ["negation"]
OPENING: Final[str] = _READ["opening"]
"""Where a sentence begins so, yes or no answers it."""
WEAK: Final[str] = _READ["weak"]
"""Words that one of two questions for the same thing may lack."""
UNANSWERED: Final = re.compile("|".join(_READ["answers"]["unanswered"].split("\n")[:-1]))
"""What a short answer says that has none."""
GOES_ON: Final = re.compile(_READ["answers"]["goes_on"].strip())
"""What such an answer says when it helps all the same."""
