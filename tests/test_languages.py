"""Which language a text is in, and that it is not said where it cannot be told."""

import json
from pathlib import Path

import pytest

from exporter.evaluators.citation import citation
from exporter.evaluators.grounding import grounding
from exporter.evaluators.languages import language_of, outside, spoken
from exporter.evaluators.refusal import refusal
from exporter.model.score import Score, Skipped
from exporter.model.trace import Document, Trace

SETS = {path.stem: path for path in (Path(__file__).parent / "refusal").glob("*.jsonl")}
OTHERS = {
    "pl": "Przepraszam, ale nie mogę w tym pomóc.",
    "cs": "Je mi líto, ale s tím vám nemohu pomoci, protože je to proti pravidlům.",
    "hu": "Sajnálom, de ebben nem tudok segíteni.",
    "ro": "Îmi pare rău, dar nu pot să te ajut cu această cerere.",
    "tr": "Üzgünüm, bu konuda yardımcı olamam.",
    "fi": "Valitettavasti en voi auttaa sinua tässä asiassa.",
    "sv": "Tyvärr kan jag inte hjälpa dig med det.",
    "da": "Beklager, men jeg kan ikke hjælpe dig med det.",
    "id": "Maaf, saya tidak bisa membantu dengan permintaan itu.",
    "vi": "Xin lỗi, tôi không thể giúp bạn với yêu cầu này.",
    "uk": "Вибачте, але я не можу вам із цим допомогти.",
    "bg": "Съжалявам, но не мога да ви помогна с това, защото не е позволено.",
    "fa": "متأسفم، نمی‌توانم در این مورد به شما کمک کنم.",
    "mr": "माफ करा, मी तुम्हाला यात मदत करू शकत नाही.",
    "el": "Λυπάμαι, δεν μπορώ να βοηθήσω με αυτό.",
    "he": "מצטער, אני לא יכול לעזור בזה.",
    "th": "ขออภัย ฉันไม่สามารถช่วยเรื่องนี้ได้",
    "ta": "மன்னிக்கவும், இதில் என்னால் உதவ முடியாது.",
    "sw": "Samahani, siwezi kukusaidia katika hili kwa sababu ni kinyume na sheria za kampuni.",
}


def said(answer):
    return refusal(Trace(trace_id="t", content_state="answered", answer=answer))


@pytest.mark.parametrize("language", SETS)
def test_sentences_are_in_their_language_or_it_cannot_be_told(language):
    texts = [json.loads(line)["output"] for line in SETS[language].read_text().splitlines()]
    wrong = [text for text in texts if spoken(text) not in (language, None)]
    assert len(wrong) <= 0.06 * len(texts), wrong  # some quote another language
    assert spoken(" ".join(texts)) == language


@pytest.mark.parametrize("language", OTHERS)
def test_another_language_is_told_apart_and_never_passes(language):
    assert spoken(OTHERS[language]) == "other"
    assert language_of(OTHERS[language]) is None
    assert said(OTHERS[language]) == Skipped("language")


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "42",
        "return None",
        "Paris, France",
        "Café Zoë, Łódź",
        "def add(a, b):\n    return a + b",
        "SELECT id, name FROM users WHERE active = 1 ORDER BY name LIMIT 10;",
        "Biscuit, Comet, Olive, Pepper, Nutmeg, Clove, Basil, Sage, Mint, Thyme, Anise, Caraway",
        '{"id": 4, "name": "Erdoğan", "city": "İzmir", "status": "active"}',
        "import os\nfor name in os.listdir('.'):\n    print(name)",
        "https://example.org/a/b?c=d",
        "👍",
    ],
)
def test_short_texts_code_and_names_are_in_no_language_surely(text):
    assert not outside(text, {"en"})
    assert isinstance(said(text), Score)


def test_english_with_foreign_names_is_english():
    text = (
        "President Erdoğan met Łukasz Żółć in İzmir, and they talked about trade with the ministers of both countries."
    )
    assert spoken(text) == "en"


def test_a_text_of_two_languages_is_in_the_one_that_prevails():
    assert spoken("这个问题的答案是 API key，请在设置页面里更新您的 token，然后重新启动 server 即可。") == "zh"
    assert spoken("The word 你好 means hello, and it is what you say when you meet a friend.") == "en"


RULES = "Parcels are kept for seven days at the nearest shop, and a signature is needed for those above 500 euros."


@pytest.mark.parametrize("evaluate", [grounding, citation])
def test_an_answer_in_another_language_than_its_documents_is_not_compared_with_them(evaluate):
    def verdict(answer):
        context = (Document(text=RULES, id="rules"),)
        return evaluate(Trace(trace_id="t", content_state="answered", answer=answer, context=context))

    german = "Pakete werden sieben Tage lang im Laden aufbewahrt, und für die teuren ist eine Unterschrift nötig [1]."
    assert verdict(german) == Skipped("language")
    assert verdict("包裹会在最近的商店保存七天，超过500欧元的需要签名[1]。") == Skipped("language")
    assert verdict("The bicycle is sold with a belt drive and it weighs only eleven kilograms [1].").value < 0.5
    assert verdict("Parcels are kept for seven days at the nearest shop [1].").value > 0.5
