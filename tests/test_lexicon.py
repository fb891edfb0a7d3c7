"""How many words of several lists a text has, in C and in Python."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.evaluators.lexicon import Lexicon, PlainLexicon

BOTH = pytest.mark.parametrize(
    "lexicon", [pytest.param(Lexicon, marks=pytest.mark.compiled), PlainLexicon], ids=["C", "Python"]
)
WORD = st.sampled_from([b"a", b"B", b"ab", b"\xc3\xa9", b"0", b"understand", b"understandings", b"x" * 40])
TEXT = st.lists(WORD | st.sampled_from([b" ", b"\n", b"-"]), max_size=60).map(b" ".join) | st.binary(max_size=300)


def words_of(text):
    return set(re.findall(rb"[a-z0-9\x80-\xff]+", text.lower()))


@BOTH
@given(st.lists(TEXT, max_size=64), TEXT)
def test_of_each_list_the_distinct_words_in_a_text_are_counted(lexicon, lists, text):
    assert lexicon(lists).counts(text) == [len(words_of(one) & words_of(text)) for one in lists]


@BOTH
def test_a_text_is_read_as_its_utf_8(lexicon):
    assert lexicon(["d\u00e9j\u00e0 vu".encode(), b"vu", b""]).counts("D\u00e9j\u00e0 VU d\u00e9j\u00e0") == [2, 1, 0]


@BOTH
def test_lists_are_64_at_most(lexicon):
    assert lexicon([b"a"] * 64).counts("a") == [1] * 64
    with pytest.raises(ValueError, match="more than 64 lists"):
        lexicon([b"a"] * 65)
