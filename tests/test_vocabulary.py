"""Words of a text, in C and in Python: both are what splitting the text at what is no letter or digit gives."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.evaluators.vocabulary import PlainVocabulary, Vocabulary

BOTH = pytest.mark.parametrize("vocabulary", [Vocabulary, PlainVocabulary], ids=["in use", "plain"])
FEW = st.lists(st.sampled_from([b"a", b"B", b"ab", b"\xc3\xa9", b"0", b" ", b"\n", b"\x00"]), max_size=60).map(b"".join)
PIECES = st.sampled_from([b"", b"s", b"ed", b"ing", b"e", b"walk", b"wed", b"Understanding", b"12", b"-"])
ENDED = st.lists(st.tuples(PIECES, PIECES, PIECES).map(b"".join), max_size=12)
TEXT = FEW | ENDED.map(b" ".join) | st.binary(max_size=400)


def words_of(text):
    return [bytes(word) for word in re.findall(rb"[a-z0-9\x80-\xff]+", text.lower())]


@BOTH
@given(TEXT, TEXT)
def test_a_vocabulary_is_the_set_of_the_words_in_lower_case(vocabulary, one, two):
    words, others = words_of(one), words_of(two)
    mine, theirs = vocabulary(one), vocabulary(two)
    assert (mine.total, len(mine), mine.words()) == (len(words), len(set(words)), list(dict.fromkeys(words)))
    assert mine.overlap(theirs) == len({*words} & {*others})
    assert mine.numbers() == sum(word.isdigit() for word in {*words})


@BOTH
@given(TEXT, TEXT, TEXT)
def test_what_is_neither_ignored_nor_known_with_any_ending_is_strange(vocabulary, one, two, three):
    counted, strange = vocabulary(one).against(vocabulary(two), vocabulary(three))
    left = [word for word in dict.fromkeys(words_of(one)) if word not in words_of(three)]
    assert counted == len(left)
    assert strange.words() == [word for word in left if not is_known(word, words_of(two))]


def is_known(word, known):
    """As sed would say it: endings are cut off one after the other, then looked for between spaces."""
    stem = word
    for ending in (b"s", b"ed", b"ing"):
        stem = stem.removesuffix(ending)
    return not {word, stem, stem + b"e", word + b"s"}.isdisjoint(known)


@BOTH
@pytest.mark.parametrize(
    ("word", "known"), [("dogs", "dog"), ("used", "use"), ("meetings", "meet"), ("dog", "dogs"), ("making", "make")]
)
def test_a_words_other_endings(vocabulary, word, known):
    nothing = vocabulary(b"")
    assert vocabulary(word.encode()).against(vocabulary(known.encode()), nothing)[1].words() == []
    assert vocabulary(known.encode() + b"x").against(vocabulary(word.encode()), nothing)[1].words() == [
        known.encode() + b"x"
    ]


@BOTH
@given(TEXT, TEXT)
def test_each_line_has_so_many_of_the_words_and_so_many_in_all(vocabulary, one, two):
    expected = [(len({*words_of(line)} & {*words_of(one)}), len(words_of(line))) for line in two.split(b"\n")]
    assert vocabulary(one).lines(two) == expected


@BOTH
@given(TEXT, st.integers(1, 5))
def test_runs_of_words_that_occurred_before_are_counted(vocabulary, text, length):
    words = words_of(text)
    runs = [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
    assert vocabulary(text).repeats(length) == len(runs) - len(set(runs))


@BOTH
def test_many_words_are_all_found_again(vocabulary):
    words = [b"w%d" % number for number in range(20_000)]
    found = vocabulary(b" ".join(words) + b"\n" + b" ".join(words))
    assert (found.total, len(found)) == (40_000, 20_000)
    assert found.words() == words
    assert found.overlap(found) == 20_000
    assert found.repeats(3) == 39_998 - 20_000


@BOTH
def test_long_words_that_differ_at_their_end_are_two(vocabulary):
    words = [b"x" * length + end for length in (7, 8, 9, 15, 16, 17, 31, 90) for end in (b"a", b"b")]
    found = vocabulary(b" ".join(words))
    assert found.words() == words
    assert [found.overlap(vocabulary(word)) for word in words] == [1] * len(words)
    assert found.overlap(vocabulary(b"x" * 90 + b"c")) == 0


@BOTH
def test_what_is_no_bytes_is_refused(vocabulary):
    with pytest.raises((TypeError, AttributeError)):
        vocabulary(12)
