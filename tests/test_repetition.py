"""`repetition`: degenerate loops, and not the repetition that writing has."""

import time

import pytest

from exporter.evaluators.repetition import repetition
from exporter.trace import Trace


def said(answer, **options):
    return repetition(Trace(trace_id="t", content_state="answered", answer=answer), **options)


TABLE = (
    "| day | opens | closes |\n|" + "-" * 90 + "|\n" + "\n".join(f"| day {n} | {n} am | {n + 3} pm |" for n in range(9))
)


@pytest.mark.parametrize(
    "answer",
    [
        "The delivery is late. " * 12,
        "no " * 10,
        "\n".join(["- Check the cable and the plug of the device again."] * 8),
        "A good start and then " + "ab" * 100,
        "!" * 200,
        "哈" * 40,
    ],
)
def test_loops_fail(answer):
    assert said(answer).value < 0.7


@pytest.mark.parametrize(
    "answer",
    [
        "Yes.",
        "No, no, no.",
        TABLE,
        "=" * 120 + "\nA heading\n" + "=" * 120,
        "See https://example.org/" + "/".join(f"part{n}" for n in range(30)),
        "\u00e9" * 60,
        "The first parcel left on Monday. The second parcel left on Tuesday. The third left on Sunday and came back.",
    ],
)
def test_ordinary_answers_pass(answer):
    assert said(answer) is True


def test_the_share_is_an_option():
    answer = "one two three four five six seven eight nine ten " * 2 + "and then other words follow that are new here"
    assert said(answer) is True
    assert said(answer, share=0.1).passed is False


def test_without_an_answer_it_does_not_apply():
    assert said("") is None


def test_hostile_text_costs_no_more_than_its_length():
    began = time.process_time()
    for text in ("[" * 200_000, "a " * 100_000, "ab" * 100_000):
        said(text)
    assert time.process_time() - began < 2
