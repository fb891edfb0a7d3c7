"""Signatures of questions: near ones are found, and they stand for text without holding it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.offline import likeness
from exporter.offline.likeness import NEAR, NUMBERS, Neighbours, signature

RESET = "How do I reset the password of my account?"
RESET_AGAIN = "How can I reset my account password, please?"
LOAN = "Which documents do you need from me for the loan?"


def near(one, other):
    return Neighbours([signature(one)]).near(signature(other)) is not None


def test_a_question_in_other_words_around_it_is_near_and_another_question_is_not():
    assert near(RESET, RESET_AGAIN)
    assert not near(RESET, LOAN)
    assert not near("How do I cancel my order?", "How do I track a parcel?")


def test_the_order_of_words_case_and_punctuation_do_not_matter():
    assert signature("Reset my PASSWORD!") == signature("password, reset my")


def test_scripts_without_spaces_are_compared_too():
    assert near("パスワードを再設定する方法を教えてください", "パスワードを再設定する方法は何ですか")
    assert not near("パスワードを再設定する方法を教えてください", "東京駅から横浜駅まで電車で行きたい")


def test_a_text_without_a_word_has_no_signature():
    assert signature("") == signature(" ?! ") == b""


def test_the_estimate_is_the_share_of_words_in_common():
    draw = random.Random(7)
    words = [f"{draw.getrandbits(40):x}"[:5] for _ in range(40)]
    one, other = words[:30], words[10:]
    same = [
        sum(
            a == b
            for a, b in zip(
                memoryview(signature(" ".join(f"{salt:02d}{w[:3]}" for w in one))).cast("H"),
                memoryview(signature(" ".join(f"{salt:02d}{w[:3]}" for w in other))).cast("H"),
                strict=True,
            )
        )
        for salt in range(20)
    ]
    assert sum(same) / (20 * NUMBERS) == pytest.approx(0.5, abs=0.05)


@given(st.text(max_size=300))
def test_any_text_has_a_signature_that_can_be_sent_and_is_nearest_to_itself(text):
    found = signature(text)
    if found:
        assert likeness.read(likeness.written(found)) == found
        assert Neighbours([signature(LOAN), found]).near(found) == found


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "A" * 172 + "===="])
def test_what_is_no_signature_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        likeness.read(text)


def test_the_index_finds_what_comparing_with_all_finds_and_forgets_what_is_taken_out():
    draw = random.Random(3)
    texts = [" ".join(draw.choices([f"word{n}" for n in range(12)], k=6)) for _ in range(60)]
    every = {signature(text) for text in texts}
    index = Neighbours(every)

    def alike(one, other):
        return sum(a == b for a, b in zip(memoryview(one).cast("H"), memoryview(other).cast("H"), strict=True))

    for asked in list(every)[:20]:
        index.remove(asked)
        assert len(index) == len(every) - 1
        best = max(alike(asked, other) for other in every - {asked})
        found = index.near(asked)
        assert (found is not None) == (best >= NEAR * NUMBERS)
        assert found is None or alike(asked, found) == best
        index.add(asked)
        index.add(asked)
    for one in every:
        index.remove(one)
    assert len(index) == 0
    assert index.near(next(iter(every))) is None
