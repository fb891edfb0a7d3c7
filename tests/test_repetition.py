"""`repetition`: degenerate loops, and not the repetition that writing has."""

import time

import pytest

from exporter.evaluators.repetition import repetition
from exporter.model.trace import Trace


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


RECORD = '{{"id": {n}, "name": "user {n}", "status": "active", "type": "item", "tags": ["a", "b"], "owner": "ops"}}'
USERS = [RECORD.format(n=n) for n in range(30)]
CODE = "\n".join(
    f"    if kind == {n}:\n        result.append(handle(value, kind))\n        return result" for n in range(20)
)


@pytest.mark.parametrize(
    "answer",
    [
        "[" + ", ".join(USERS) + "]",
        "```json\n[" + ",\n".join(USERS) + "]\n```",
        "Here they are:\n\n```json\n[" + ",\n".join(USERS) + "]\n```\nAnything else?",
        "[" + ", ".join(USERS) + ', {"id": 31, "name"',
        "[" + ", ".join(["0"] * 200) + "]",
        "[" + ",".join(["0"] * 200) + "]",
        '{"mask": [' + ", ".join(["true"] * 200) + "]}",
        "\n".join(f"{n},active,item,in stock,ready to ship" for n in range(30)),
        "\n".join(f"id={n}\tstatus=active\ttype=item\tready=yes" for n in range(30)),
        "\n".join(f"- user {n}: status active, type item, ready to ship" for n in range(30)),
        "\n".join(f"- name: user-{n}\n  status: active\n  type: item\n  ready: true" for n in range(30)),
        "\n".join(f"{n}. **User {n}** - status: active, type: item, ready: yes" for n in range(1, 30)),
        "| user | status | type |\n|---|---|---|\n"
        + "\n".join(f"| {n} | is active now | is an item |" for n in range(30)),
        f"```python\ndef handled(kind, value):\n{CODE}\n```",
        "```python\n" + "forward(10)\nleft(90)\n" * 4 + "```",
        "INSERT INTO users VALUES (1, 'active', 'item');\n"
        + "\n".join(f"INSERT INTO users VALUES ({n}, 'active', 'item');" for n in range(2, 30)),
    ],
)
def test_records_and_code_of_one_form_pass(answer):
    assert said(answer) is True


@pytest.mark.parametrize(
    "answer",
    [
        "[" + ", ".join(USERS[:1] * 30) + "]",
        "[" + ", ".join(USERS[:3] * 12) + ', {"id"',
        '{"text": "' + "The delivery is late. " * 12 + '"}',
        '{"text": "' + "The delivery is late. " * 12,
        "```python\n" + "x = total(x, y)\n" * 40 + "```",
        "| day | opens |\n|---|---|\n" + "| Monday | at nine |\n" * 40,
        "- user 1: status active, type item\n" * 40,
        "\n".join(USERS) + "\n" + "The delivery is late. " * 12,
    ],
)
def test_records_and_code_that_loop_fail(answer):
    assert said(answer).passed is False


def test_the_share_is_an_option():
    answer = "one two three four five six seven eight nine ten " * 2 + "and then other words follow that are new here"
    assert said(answer) is True
    assert said(answer, share=0.1).passed is False


def test_without_an_answer_it_does_not_apply():
    assert said("") is None


def test_hostile_text_costs_no_more_than_its_length():
    began = time.process_time()
    for text in (
        "[" * 200_000,
        "a " * 100_000,
        "ab" * 100_000,
        "a: b\n" * 40_000,
        "```\n" * 50_000,
        "a b c d; " * 20_000,
    ):
        said(text)
    assert time.process_time() - began < 2
