"""What one look over a text tells, in C and in Python: both give the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.evaluators import scan
from exporter.evaluators.scan import (
    apart,
    first_sentences,
    has_other_capitals,
    names,
    plain_apart,
    plain_first_sentences,
    plain_has_other_capitals,
    plain_names,
)

compiled = pytest.mark.compiled


def both(name):
    """The same test of a function in C and in Python."""
    functions = [pytest.param(getattr(scan, name), marks=compiled), getattr(scan, f"plain_{name}")]
    return pytest.mark.parametrize(name, functions, ids=["C", "Python"])


CAPITALS = st.lists(
    st.sampled_from(
        ["Ada", " Ada", "M\u00e9", "O'B", "J-L", " ", "a ", ", ", ". ", "_", "7", "\n", "x", "\u4e2d", "\x00"]
    )
)
BOUNDS = (0x7F, 0xA0, 0xAB, 0xB7, 0xBB, 0xE00, 0xE80, 0x2000, 0x2070, 0x3000, 0x3012, 0x3040, 0x3100, 0x3400, 0xA000)
EDGES = [chr(bound + step) for bound in (*BOUNDS, 0xF900, 0xFB00, 0xFF00, 0xFF10, 0x10000) for step in (-1, 0, 1)]


@both("apart")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("caf\u00e9 \u2018a\u2019", "caf\u00e9  a "),
        ("A\u00c0\u00d7\u00de\u00df\u00ff", "A\u00e0\u00d7\u00fe\u00df\u00ff"),
        ("\u0400\u040f\u0410\u042f\u0430", "\u0450\u045f\u0430\u044f\u0430"),
        ("1\u00a02\u00bb\uff0c", "1 2  "),
        ("\u4e2d\u6587\u3002", " \u4e2d  \u6587  "),
        ("\u0e01\U0001f600", " \u0e01 \U0001f600"),
    ],
)
def test_marks_and_unspaced_scripts_are_set_apart(apart, text, found):
    assert apart(text.encode()) == found.encode()


@compiled
@given(st.text(st.characters(codec="utf-8")) | st.text(st.sampled_from(EDGES)))
def test_both_set_the_same_apart(text):
    assert apart(text.encode()) == plain_apart(text.encode())


def test_each_capital_is_made_lower_case_or_seen():
    capitals = [chr(code) for code in range(0x80, 0x110000) if chr(code).lower() != chr(code)]
    lowered = [one for one in capitals if not has_other_capitals(one.encode())]
    assert [apart(one.encode()).decode() for one in lowered] == [one.lower() for one in lowered]
    assert not has_other_capitals("\u00c9t\u00e9 \u2014 \u2019\u20ac \u041f \u4e2d \uac00 \u0e01 \U0001f600".encode())


@compiled
@given(st.text(st.characters(codec="utf-8")) | st.text(st.sampled_from(EDGES)))
def test_both_see_the_same_capitals(text):
    assert has_other_capitals(text.encode()) == plain_has_other_capitals(text.encode())


@given(st.binary())
def test_what_is_no_utf_8_is_looked_over_too(text):
    assert len(apart(text)) <= 2 * len(text)
    assert len(names(text)) <= len(text)


@both("names")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It was Ada Lovelace who met Babbage.", "Ada Lovelace  Babbage. "),
        ("Ada came. Babbage left.", ""),
        ("by O'Brien and Jean-Luc (see Ada)", "O'Brien  Jean-Luc  Ada) "),
        ("a Caf\u00e9 A", "Caf\u00e9 "),
        ("so A\u00e9Ada_Z9 \nB", "A\u00e9Ada_Z9  "),
    ],
)
def test_names_are_written_with_a_capital_within_a_sentence(names, text, found):
    assert names(text.encode()) == found.encode()


@compiled
@given(CAPITALS)
def test_both_find_the_same_names(pieces):
    text = "".join(pieces)
    assert names(text.encode()) == plain_names(text.encode()) == names(text) == plain_names(text)


BETWEEN = [
    chr(code) for code in (*range(0xC0), 0x60C, 0x61F, 0x964, 0x1680, *range(0x2000, 0x2070), *range(0x2FF0, 0x3030))
]


FIGURES = st.text(st.sampled_from("01259.,:'/- a\u00e9\n\x00"), max_size=120)


@both("figures")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,200.50 at 17:30; 5kg, 1-2/3'4", ["1,200.50", "17:30", "5", "1-2/3'4"]),
        (" " * 31 + "7" + " " * 64 + "8.", ["7", "8"]),
        ("1..2 ,3, -4 \u0661", ["1", "2", "3", "4"]),
        ("none", []),
    ],
)
def test_figures_are_digits_with_single_marks_between_them(figures, text, found):
    assert figures(text) == figures(text.encode()) == [one.encode() for one in found]


@both("figures")
@both("other_figures")
@both("digit_groups")
@given(FIGURES, st.lists(FIGURES, max_size=3))
def test_figures_of_no_other_text_and_groups_of_digits(figures, other_figures, digit_groups, text, texts):
    known = [one for other in texts for one in figures(other)]
    assert other_figures(text, texts) == [one for one in figures(text) if one not in known]
    assert digit_groups([text, *texts]) == [
        group.encode() for one in (text, *texts) for group in re.findall("[0-9]+", one)
    ]
    assert figures(text) == [one.encode() for one in re.findall("[0-9]+(?:[.,:'/-][0-9]+)*", text)]


@both("first_sentences")
@pytest.mark.parametrize(
    ("text", "most", "found"),
    [
        ("I'm SORRY, but: no. (Not v1.5)! Why?Because", 3, " i'm sorry , but , no \n not v1 5 \n why "),
        ("...\n\n, \t\x1c,a\n", 9, " , , a "),
        (
            "caf\u00e9\u2014l\u2019\u00c9t\u00e9\u3002\u4e2d\uff0c\u6587",
            9,
            " caf\u00e9 l'\u00c9t\u00e9 \n \u4e2d , \u6587 ",
        ),
        ("a.b. c", 1, " a b "),
        ("a", 0, ""),
        ("", 3, ""),
    ],
)
def test_of_the_first_sentences_words_and_commas_are_left(first_sentences, text, most, found):
    assert first_sentences(text, most) == first_sentences(text.encode(), most) == found.encode()


@compiled
@given(st.text(st.sampled_from([*BETWEEN, *EDGES, "a", "B", ".", " ", ",", "\u00e9"])), st.integers(0, 5))
def test_both_write_the_same_sentences(text, most):
    assert first_sentences(text, most) == plain_first_sentences(text, most)


@compiled
def test_both_see_the_same_between_words():
    for code in (*range(0xD800), *range(0xE000, 0x11000)):
        text = f"a{chr(code)}b{chr(code)}"
        assert first_sentences(text, 9) == plain_first_sentences(text, 9), hex(code)


@given(st.binary(), st.integers(0, 9))
def test_of_what_is_no_utf_8_sentences_are_written_too(text, most):
    assert first_sentences(text, most).count(b"\n") <= most


@both("has_run")
@given(st.lists(st.sampled_from(["ab", "abcdefgh", "\u00e9", "\u4e2d\u4e2d", " ", "-", "\x0b"])), st.integers(1, 30))
def test_a_run_has_neither_white_space_nor_what_draws_lines(has_run, pieces, length):
    text = "".join(pieces)
    found = re.search(rf"[^\t\n\f\r =_*~#.|+-]{{{length}}}", text)
    assert has_run(text, length) == has_run(text.encode(), length) == bool(found)
