"""Words of a text, in C and in Python: both are what splitting the text at white space gives."""

from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.evaluators.vocabulary import PlainVocabulary, Vocabulary, plain_sketch, sketch

BOTH = pytest.mark.parametrize("vocabulary", [Vocabulary, PlainVocabulary], ids=["in use", "plain"])
FEW = st.lists(st.sampled_from([b"a", b"b", b"ab", b"\xc3\xa9", b"0", b" ", b"\n", b"\x00"]), max_size=60).map(b"".join)
PIECES = st.sampled_from([b"", b"s", b"ed", b"ing", b"e", b"walk", b"wed"])
ENDED = st.lists(st.tuples(PIECES, PIECES, PIECES).map(b"".join), max_size=12)
TEXT = FEW | ENDED.map(b" ".join) | st.binary(max_size=400)


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
@given(TEXT, TEXT, TEXT)
def test_what_is_known_with_another_ending_is_not_strange(vocabulary, one, two, three):
    known = vocabulary(two)
    strange = vocabulary(one).strange(known, vocabulary(three))
    assert strange == {word for word in vocabulary(one).without(known, vocabulary(three)) if not is_known(word, two)}


def is_known(word, text):
    """As sed would say it: endings are cut off one after the other, then looked for between spaces."""
    stem = word
    for ending in (b"s", b"ed", b"ing"):
        stem = stem.removesuffix(ending)
    return not {stem, stem + b"e", word + b"s"}.isdisjoint(text.split())


@BOTH
@pytest.mark.parametrize(
    ("word", "known"), [("dogs", "dog"), ("used", "use"), ("meetings", "meet"), ("dog", "dogs"), ("making", "make")]
)
def test_a_words_other_endings(vocabulary, word, known):
    assert vocabulary(word.encode()).strange(vocabulary(known.encode())) == frozenset()
    assert vocabulary(known.encode() + b"x").strange(vocabulary(word.encode())) == {known.encode() + b"x"}


@pytest.mark.parametrize("sketch", [sketch, plain_sketch], ids=["in use", "plain"])
@given(TEXT, st.integers(0, 6), st.integers(0, 20))
def test_a_sketch_has_a_checksum_of_all_words_and_bits_of_the_first(sketch, text, beginning, most):
    same, bits = sketch(text, beginning, most)
    assert same == crc32(b" ".join(text.split()))
    pairs = [bits[at : at + 2] for at in range(0, len(bits), 2)]
    assert pairs == sorted(set(pairs), key=lambda pair: pair[::-1])
    assert set(pairs) == {crc32(word[:beginning]).to_bytes(4, "little")[:2] for word in text.split()[:most]}


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
