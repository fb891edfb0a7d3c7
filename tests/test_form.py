"""`format`: the configured rules of form, and nothing without a rule."""

import pytest

from exporter.evaluators import built_in
from exporter.evaluators.form import format_
from exporter.evaluators.languages import language_of
from exporter.evaluators.options import OptionError
from exporter.evaluators.patterns import Pattern
from exporter.model.trace import Trace


def said(answer, **options):
    bound = built_in().bound("format", options)
    return format_(Trace(trace_id="t", content_state="answered", answer=answer), **bound)


def test_without_rules_it_does_not_apply():
    assert said("Hello.") is None


def test_without_an_answer_it_does_not_apply():
    assert said("", min_length=1) is None


GOOD = "| a | b |\n|---|:-:|\n| 1 | 2 |\n| `x|y` | 4 |"


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        ("Order 1234 is ready", {"must_match": [r"\d{4}"]}),
        ("Dear customer", {"must_not_match": [r"(?i)\bdarling\b", "(?<=x)y"]}),
        ("four", {"min_length": 4, "max_length": 4}),
        ("The parcel is on its way to you and it will be there by noon.", {"language": "en"}),
        ("ok", {"language": "de"}),
        (GOOD, {"table": True}),
        ("```python\nprint()\n```", {"code_fence": "required"}),
        ("no code here", {"code_fence": "balanced"}),
        ("````\n```\n````", {"code_fence": "balanced"}),
    ],
)
def test_kept_rules_pass(answer, options):
    assert said(answer, **options) is True


@pytest.mark.parametrize(
    ("answer", "options", "why"),
    [
        ("Order ready", {"must_match": [r"\d{4}", "Order"]}, r"does not match \d{4}"),
        ("xy", {"must_not_match": ["(?<=x)y"]}, "matches (?<=x)y"),
        ("four", {"min_length": 5}, "has 4 characters, fewer than 5"),
        ("four", {"max_length": 3}, "has 4 characters, more than 3"),
        ("Das Paket ist auf dem Weg zu Ihnen und wird am Mittag da sein.", {"language": "en"}, "is in de, not in en"),
        ("no table", {"table": True}, "has no well-formed Markdown table"),
        ("| a | b |\n|---|---|\n| 1 |", {"table": True}, "has no well-formed Markdown table"),
        ("```\nprint()", {"code_fence": "balanced"}, "has a code fence that is not closed"),
        ("print()", {"code_fence": "required"}, "has no code fence"),
    ],
)
def test_broken_rules_fail_and_say_which(answer, options, why):
    score = said(answer, **options)
    assert score.value == 0.0
    assert score.explanation == f"the answer {why}"


def test_every_broken_rule_is_told():
    assert said("abc", max_length=2, must_match=["x"]).explanation == (
        "the answer does not match x; has 3 characters, more than 2"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"must_match": ["("]}, "invalid regular expression '('"),
        ({"must_match": [5]}, "expected a regular expression, got int"),
        ({"must_match": "abc"}, "must_match: expected a list, found text"),
        ({"code_fence": "some"}, "code_fence: no such value; known: any, balanced, required"),
        ({"max_lenght": 5}, "no such option; the options are: must_match"),
    ],
)
def test_bad_options_are_told(options, message):
    with pytest.raises(OptionError) as caught:
        said("abc", **options)
    assert message in str(caught.value)


def test_patterns_run_in_linear_time_where_they_can():
    assert Pattern.parse("(a+)+$").note == ""
    assert "not linear" in Pattern.parse("(?=a)a").note


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The door is open and the light is on for you.", "en"),
        ("Die Tür ist nicht offen und der Schlüssel ist auf dem Tisch.", "de"),
        ("Le train est en retard et les voyageurs sont dans la gare.", "fr"),
        ("El tren no llega y los viajeros están en la estación con su equipaje.", "es"),
        ("De trein is niet op tijd en het station is een puinhoop van mensen.", "nl"),
        ("Поезд опаздывает на час", "ru"),
        ("列车晚点一个小时", "zh"),
        ("電車は一時間遅れています", "ja"),
        ("기차가 한 시간 늦습니다", "ko"),
        ("42", None),
        ("OK.", None),
    ],
)
def test_languages_are_told_by_small_words_and_scripts(text, language):
    assert language_of(text) == language
