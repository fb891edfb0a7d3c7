"""Words of a text, in C and in Python: both are what splitting the text at what is no letter or digit gives."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.evaluators.vocabulary import PlainVocabulary, Vocabulary

BOTH = pytest.mark.parametrize(
    "vocabulary", [pytest.param(Vocabulary, marks=pytest.mark.compiled), PlainVocabulary], ids=["C", "Python"]
)
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
    assert mine.overlap(theirs) == mine.overlap(two) == len({*words} & {*others})
    assert mine.digits_first() == [word for word in mine.words() if word[0] in b"0123456789"]
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
@given(TEXT, st.lists(TEXT, max_size=3), TEXT)
def test_texts_that_are_looked_through_say_what_their_vocabulary_says(vocabulary, one, texts, ignored):
    mine, ignored = vocabulary(one), vocabulary(ignored)
    counted, strange = mine.against(tuple(texts), ignored)
    expected, its = mine.against(vocabulary(b"\n".join(texts)), ignored)
    assert (counted, strange.words(), strange.total) == (expected, its.words(), its.total)


@BOTH
@given(st.text(st.characters(codec="utf-8")) | st.text("aB \n\x00"), TEXT)
def test_a_str_is_read_as_its_utf_8(vocabulary, one, two):
    written, encoded, nothing = vocabulary(one), vocabulary(one.encode()), vocabulary(b"")
    assert (written.words(), written.total) == (encoded.words(), encoded.total)
    assert vocabulary(two).overlap(one) == vocabulary(two).overlap(encoded)
    assert vocabulary(two).against([one], nothing)[1].words() == vocabulary(two).against(encoded, nothing)[1].words()
    assert written.densest(one, b".") == written.densest(one.encode(), b".")


@BOTH
@pytest.mark.parametrize("length", [*range(60, 70), *range(124, 132)])
def test_a_word_that_ends_where_a_block_ends_is_one(vocabulary, length):
    text = b" " * (length - 3) + b"Abc"
    assert vocabulary(text).words() == [b"abc"]
    assert vocabulary(text + b"d e").words() == [b"abcd", b"e"]
    assert vocabulary(b"abc x").against([text], vocabulary(b""))[1].words() == [b"x"]


@BOTH
@given(TEXT, TEXT | st.text("aB.?! \n\x00").map(str.encode), st.sampled_from([b"", b".?!", b"a"]))
def test_the_sentences_are_told_of_which_the_words_are_the_largest_share(vocabulary, one, two, ends):
    words, lines = {*words_of(one)}, two
    for mark in ends:
        lines = lines.replace(bytes([mark, 32]), bytes([mark, 10]))
    starts = [0, *(at + 1 for at, byte in enumerate(lines) if byte == 10)]
    ranked = []
    for start, end in zip(starts, [*(start - 1 for start in starts[1:]), len(lines)], strict=True):
        found = words_of(lines[start:end])
        ranked.append((len(words.intersection(found)) / max(3, len(found)), -start, (start, end)))
    assert vocabulary(one).densest(two, ends) == [place for share, _, place in sorted(ranked)[::-1][:3] if share]


@BOTH
@given(TEXT, TEXT, TEXT)
def test_the_share_of_words_in_a_text_leaves_out_what_is_ignored_and_repeated(vocabulary, one, two, three):
    found = {*words_of(two)}
    counted = len(found.difference(words_of(three)))
    expected = len(found.intersection(words_of(one))) / max(3, counted)
    assert vocabulary(one).share(two, vocabulary(three)) == expected


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
def test_of_many_words_the_endings_are_found_however_long_they_are(vocabulary):
    words = [b"w" * length + b"%d" % number for number, length in enumerate([*range(1, 40), 90] * 50)]
    shapes = [(b"", b"s"), (b"s", b""), (b"ed", b""), (b"ing", b"e"), (b"eds", b"")]
    mine = [word + shapes[at % 5][0] for at, word in enumerate(words)]
    theirs = [word + shapes[at % 5][1] for at, word in enumerate(words)]
    sought, nothing = vocabulary(b" ".join(mine)), vocabulary(b"")
    for known in ([b" ".join(theirs[:1000]), b" ".join(theirs[1000:-7])], vocabulary(b" ".join(theirs[:-7]))):
        assert sought.against(known, nothing)[1].words() == mine[-7:]


@BOTH
@pytest.mark.parametrize("text", [12, None, [b"a"]])
def test_what_is_no_text_is_refused(vocabulary, text):
    with pytest.raises((TypeError, AttributeError)):
        vocabulary(text)
    with pytest.raises((TypeError, AttributeError)):
        vocabulary(b"a").against([text], vocabulary(b""))


@BOTH
def test_a_str_that_has_no_utf_8_is_refused(vocabulary):
    with pytest.raises(UnicodeEncodeError):
        vocabulary("a \ud800")
    with pytest.raises(UnicodeEncodeError):
        vocabulary(b"a").against(["a", "\ud800"], vocabulary(b""))
