"""Words of a text, in C and in Python: both are what splitting the text at white space gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.evaluators.vocabulary import PlainVocabulary, Vocabulary

BOTH = pytest.mark.parametrize("vocabulary", [Vocabulary, PlainVocabulary], ids=["in use", "plain"])
FEW = st.lists(st.sampled_from([b"a", b"b", b"ab", b"\xc3\xa9", b"0", b" ", b"\n", b"\x00"]), max_size=60).map(b"".join)
TEXT = FEW | st.binary(max_size=400)


@BOTH
@given(TEXT, TEXT, TEXT)
def test_a_vocabulary_is_the_set_of_the_words_that_split_gives(vocabulary, one, two, three):
    words, others = one.split(), two.split()
    mine, theirs = vocabulary(one), vocabulary(two)
    assert (mine.total, len(mine)) == (len(words), len(set(words)))
    assert mine.overlap(theirs) == len({*words} & {*others})
    assert mine.shared(theirs, vocabulary(three)) == {*words} & {*others, *three.split()}
    assert mine.without(theirs, vocabulary(three)) == {*words} - {*others, *three.split()}


@BOTH
def test_many_words_are_all_found_again(vocabulary):
    words = [b"w%d" % number for number in range(20_000)]
    found = vocabulary(b" ".join(words) + b"\n" + b" ".join(words))
    assert (found.total, len(found)) == (40_000, 20_000)
    assert found.without() == frozenset(words)
    assert found.shared(found) == frozenset(words)


@BOTH
def test_what_is_no_bytes_is_refused(vocabulary):
    with pytest.raises((TypeError, AttributeError)):
        vocabulary(12)
