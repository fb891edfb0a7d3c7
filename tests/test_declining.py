"""Declining in thirteen languages: precision and recall on sentences of ours, half of them near misses."""

import json
import time
from pathlib import Path
from typing import get_args

import pytest
import re2

from exporter.evaluators.decline_latin import LATIN
from exporter.evaluators.decline_limits import LIMITS, declining
from exporter.evaluators.decline_scripts import OTHER_SCRIPTS
from exporter.evaluators.declining import stated
from exporter.evaluators.languages import Language
from exporter.evaluators.refusal import declined, refusal
from exporter.model.trace import Trace

SETS = {path.stem: path for path in (Path(__file__).parent / "refusal").glob("*.jsonl")}
KINDS = Path(__file__).parent / "faults" / "refusal-kinds.jsonl"
OTHER_LANGUAGES = Path(__file__).parent / "faults" / "refusals-other-languages.jsonl"


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def said(answer, **fields):
    return refusal(Trace(trace_id="t", content_state="answered", answer=answer, **fields))


def test_every_language_has_phrases_and_a_set_of_forty_lines_of_which_near_misses_are_half():
    assert set(SETS) == {*LATIN, *OTHER_SCRIPTS} == set(LIMITS) == set(get_args(Language))
    for path in SETS.values():
        labels = [row["declines"] for row in rows(path)]
        assert len(labels) >= 40
        assert 0.4 <= sum(labels) / len(labels) <= 0.6


@pytest.mark.parametrize("language", SETS)
def test_precision_and_recall_are_at_least_nine_tenths(language):
    found = [
        (declined(row["output"]).probability > 0.5, row["declines"], row["output"]) for row in rows(SETS[language])
    ]
    right = sum(flag and label for flag, label, _ in found)
    wrong = [text for flag, label, text in found if flag != label]
    assert right >= 0.9 * sum(flag for flag, _, _ in found), wrong
    assert right >= 0.9 * sum(label for _, label, _ in found), wrong


@pytest.mark.parametrize("row", [*rows(KINDS), *rows(OTHER_LANGUAGES)], ids=lambda row: row["id"])
def test_kinds_of_refusals_that_were_missed_fail(row):
    assert said(row["output"]).value < 0.5


@pytest.mark.parametrize(
    "message",
    [
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "Sorry, the model cannot answer this question.",
        "Your request was blocked by our content filter.",
        "Output blocked by content filtering policy",
        "Sorry, the response matched public code so it was blocked.",
        "This content may violate our usage policies.",
        "Response blocked: SAFETY",
    ],
)
def test_messages_of_providers_filters_are_refusals(message):
    assert said(message).value < 0.5


def test_a_short_answer_that_a_content_filter_stopped_is_one_whatever_it_says():
    assert said("Let us talk about flowers.", finish_reason="content_filter").value == 0.0
    assert said("Let us talk about flowers.", finish_reason="stop").value > 0.5


@pytest.mark.parametrize(
    "answer",
    [
        "Without the logs, I cannot tell you exactly why it failed, but here are likely causes: a full disk.",
        "I can't say for sure without your config. The most likely reason is a wrong port.",
        "I'm unable to see your screen, but usually the setting is under Privacy.",
        "Ohne die Logs kann ich es nicht genau sagen, aber wahrscheinlich ist die Platte voll.",
        "Sans les journaux, je ne peux pas le dire exactement, mais le disque est probablement plein.",
        "Без журналов точно сказать не могу, но, скорее всего, диск заполнен.",
        "没有日志我无法确定原因，但很可能是磁盘已满。",
    ],
)
def test_to_say_what_one_cannot_know_and_to_help_is_no_refusal(answer):
    assert said(answer).value > 0.5


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("In den Dokumenten ist dazu nichts zu finden.", "absent"),
        ("Le contexte ne contient pas cette information.", "absent"),
        ("No encontré información sobre eso.", "absent"),
        ("Il documento non menziona la garanzia.", "absent"),
        ("O contexto não menciona o prazo.", "absent"),
        ("Er is geen informatie gevonden over dit onderwerp.", "absent"),
        ("В документах нет информации об этом.", "absent"),
        ("文档中没有提到保修期。", "absent"),
        ("資料には記載されていません。", "absent"),
        ("문서에는 관련 정보가 없습니다.", "absent"),
        ("لا توجد معلومات في السياق عن ذلك.", "absent"),
        ("दस्तावेज़ में इसकी जानकारी नहीं है।", "absent"),
    ],
)
def test_not_in_the_context_is_told_apart_in_every_language(answer, told):
    assert stated(answer) == told
    assert said(answer).passed is None


def test_what_is_quoted_declines_nothing_unless_it_is_all():
    assert said('In Spanish you would say: "Lo siento, no puedo ayudarte con eso."').value > 0.5
    assert said('"I am sorry, but I cannot help with that."').value < 0.5


def test_a_quoted_refusal_is_no_refusal_whichever_patterns_know_it():
    assert said("To decline a meeting politely, write: \"I'm sorry, I can't make it.\"").value > 0.5
    assert said('I cannot help with that. The form "B" is for lawyers.').value < 0.5


@pytest.mark.parametrize("language", LIMITS)
def test_the_limits_of_every_language_are_a_pattern_of_linear_time(language):
    assert re2.compile(declining(language).replace("…", "(?: [^ ,\n]+){0,8}"))


@pytest.mark.parametrize(
    "text", ["نا \u0301" * 9000, "我不能" * 20_000, "nicht " * 9000, '"' * 60_000, "no, " * 15_000, "नहीं " * 9000]
)
def test_hostile_text_costs_no_more_than_its_length(text):
    began = time.process_time()
    said(text)
    assert time.process_time() - began < 2
