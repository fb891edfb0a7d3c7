"""`grounding` and `citation`: what documents support, and what they do not."""

import json
import time
import unicodedata

import pytest
from msgspec import structs

from exporter.evaluators.citation import citation
from exporter.evaluators.claims import Conflicts, conflicts
from exporter.evaluators.facts import decoded, facts_of
from exporter.evaluators.grounding import grounding
from exporter.model.score import Skipped
from exporter.model.trace import Document, Trace

PARCEL = (
    "Parcels are delivered between 8 and 18 o'clock. If nobody is at home, the driver leaves a card and brings the "
    "parcel to the nearest shop, where it is kept for seven days. Signatures are needed for parcels above 500 euros."
)
BIKE = "The Tarn 3 bicycle weighs 11 kilograms, has a belt drive and carries up to 130 kilograms."


def said(answer, *texts, **fields):
    documents = tuple(Document(text=text) for text in texts)
    return grounding(Trace(trace_id="t", content_state="answered", answer=answer, context=documents, **fields))


@pytest.mark.parametrize(
    "answer",
    [
        "The parcel is kept at the nearest shop for seven days.",
        "If nobody is home, the driver will leave a card.",
        "Parcels above 500 euros need a signature. They are kept for 7 days.",
        "The bicycle weighs 11 kilograms and has a belt drive.",
        "1. Delivery is between 8 and 18 o'clock.\n2. Signatures are needed above 500 euros.",
        '{"answer": "The driver leaves a card and brings the parcel to the nearest shop.", "confidence": 0.93}',
        "The driver leaves a card [1], and the parcel is kept for seven days [1].",
    ],
)
def test_supported_answers_score_high(answer):
    assert said(answer, PARCEL, BIKE).value > 0.8


@pytest.mark.parametrize(
    ("answer", "quote"),
    [
        ("Lyon.", "Lyon."),
        (
            "The parcel is kept for seven days. Customers in Portugal receive vouchers from Henrietta Quill.",
            "Customers in",
        ),
        ("The warranty covers water damage and theft abroad.", "The warranty"),
        ("Es werden Gutscheine an alle Kunden in Lissabon verschickt.", "Es werden"),
    ],
)
def test_unsupported_answers_fail_and_quote_what_is_unsupported(answer, quote):
    score = said(answer, PARCEL, BIKE)
    assert score.value < 0.5
    assert score.quotes[0].startswith(quote)
    assert "content words are in no document" in score.explanation
    assert "Lyon" not in score.explanation


def test_more_unsupported_claims_score_lower():
    answers = [
        "The parcel is kept for seven days.",
        "The parcel is kept for seven days, wrapped in velvet.",
        "The parcel is kept for seven days, wrapped in purple velvet, guarded by trained falcons.",
    ]
    scores = [said(answer, PARCEL).value for answer in answers]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_numbers_and_names_are_told():
    score = said("It was founded in 1987 by Ottoline Vance, who sold 40000 lamps.", PARCEL)
    assert "2 of them numbers" in score.explanation
    assert "2 of them names" in score.explanation


@pytest.mark.parametrize(
    "answer",
    [None, "", "...", "I'm sorry, but I can't help with that.", "The documents do not mention the price.", "[]"],
)
def test_what_claims_nothing_is_not_judged(answer):
    assert said(answer, PARCEL) is None


def test_without_context_it_does_not_apply():
    assert said("The parcel is kept for seven days.") is None


def test_tool_results_are_the_context_where_there_are_no_documents():
    good = said("Oslo has 4 degrees and rain.", tool_results=('{"city": "Oslo", "degrees": 4, "weather": "rain"}',))
    assert good.value > 0.8
    bad = said("Oslo has 4 degrees and rain.", tool_results=('{"city": "Lima", "degrees": 31, "weather": "dry"}',))
    assert bad.value < 0.5


PLACE = """{"name": "Quay", "OutdoorSeating": false, "WiFi": "free", "Music": null, "Terrace": true,
 "BusinessParking": {"valet": false, "street": true}, "GuideDogs": {"inside": false, "outside": false},
 "hours": {"Monday": "9:0-17:30", "Tuesday": "9:0-17:30", "Wednesday": "0:0-0:0"},
 "review": "We came with the whole family for the Saturday brunch, and enjoyed the live jazz until 11 pm."}"""


def compared(answer, document=PLACE):
    return structs.replace(conflicts(facts_of(decoded(document)), [answer]), checked=0)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Quay offers outdoor seating.", Conflicts(affirmed=1)),
        ("Quay has no outdoor seating.", Conflicts()),
        ("Outdoor seating is not available.", Conflicts()),
        ("It does not offer music, street parking or outdoor seating.", Conflicts(denied=1, excluded=1)),
        ("It does not offer valet parking, but street parking is available.", Conflicts()),
        ("It offers valet parking.", Conflicts(affirmed=1)),
        ("There is no parking.", Conflicts(denied=1)),
        ("Guide dogs are welcome.", Conflicts(affirmed=1)),
        ("There is no WiFi at Quay.", Conflicts(denied=1)),
        ("Quay has free Wi-Fi.", Conflicts()),
        ("Guests enjoy live music.", Conflicts(invented=1)),
        ("There is no music.", Conflicts(excluded=1)),
        ("It is not known whether there is music.", Conflicts()),
        ("Not only the terrace is fine.", Conflicts()),
    ],
)
def test_fields_of_json_are_compared_with_claims(answer, expected):
    assert compared(answer) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Quay opens at 9 am and closes at 5:30 PM.", Conflicts()),
        ("Quay opens at 8 AM.", Conflicts(times=1)),
        ("Quay is on 108 AM.", Conflicts()),
        ("There is jazz until 23:00.", Conflicts()),
        ("It is open from 9:00 to 17:30 on Monday and Tuesday.", Conflicts()),
        ("It is open Monday through Wednesday from 9 am to 5:30 pm.", Conflicts(hours=1)),
        ("Open Monday: 9 am - 5:30 pm, Tuesday: 9 am - 11 pm.", Conflicts(hours=1)),
        ("It is closed on Wednesday.", Conflicts()),
        ("It is closed on Mondays.", Conflicts(hours=1)),
        ("It is open seven days a week.", Conflicts(hours=5)),
    ],
)
def test_times_and_opening_hours_are_compared(answer, expected):
    assert compared(answer) == expected


def test_rows_that_disagree_state_nothing():
    assert compared("There is parking.", '[{"parking": true}, {"parking": false}]') == Conflicts()


def test_the_text_of_a_document_may_tell_what_a_field_leaves_open():
    document = '{"music": null, "open": true, "review": "%s we liked the music of the band a lot"}' % ("x" * 60)
    assert compared("There is music.", document) == Conflicts()


def test_a_contradicted_fact_lowers_the_score():
    good = said("Quay has free WiFi and no outdoor seating.", PLACE)
    bad = said("Quay has free WiFi and outdoor seating.", PLACE)
    assert bad.value < good.value
    assert "1 facts contradicted" in bad.explanation
    assert good.value > 0.5 > bad.value


@pytest.mark.parametrize("text", ["x", "{", "{]", "[" * 5000, "\ud800", '{"a": 1e999}'])
def test_odd_documents_are_text(text):
    assert decoded(text) is None
    assert said("The parcel is late.", text).value < 0.5


def test_an_answer_beyond_the_limit_is_judged_by_its_beginning_and_says_so():
    score = said("Falcons guard it. " * 10_000, PARCEL)
    assert "looked at the first 65536 characters" in score.explanation


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ('{"basic": {"price": 1200}}', "Basic costs $1,200."),
        ("Basic kostet 1200 Euro.", "Basic kostet 1.200,00 Euro."),
        ("Le prix est de 1200 euros.", "Le prix est de 1\u202f200 euros."),
        ("The price is 4,50 euros.", "The price is 4.5 euros."),
        ("The share is 0.12 of all.", "The share is 12% of all."),
        ("They sold 2000000 lamps.", "They sold 2 million lamps."),
        ("售出30000盏灯。", "售出3万盏灯。"),
        ("Population: 1234567", "Population: 12,34,567"),
        ("Released on 2026-03-06.", "Released on March 6, 2026."),
        ("Released on 6 March 2026.", "Released on 06.03.2026."),
        ("Erschienen am 6. März 2026.", "Erschienen am 2026-03-06."),
        ("Publié le 6 mars 2026.", "Publié le 06/03/2026."),
        ("Publicado el 6 de marzo de 2026.", "Publicado el 2026-03-06."),
        ("Pubblicato il 6 marzo 2026.", "Pubblicato il 06/03/2026."),
        ("Publicado em 6 de março de 2026.", "Publicado em 06/03/2026."),
        ("Verschenen op 6 maart 2026.", "Verschenen op 06-03-2026."),
        ("Вышло 6 марта 2026.", "Вышло 06.03.2026."),
        ("发布于2026年3月6日。", "发布于2026-03-06。"),
        ("출시일 2026년 3월 6일.", "출시일 2026-03-06."),
        ("صدر في 6 مارس 2026", "صدر في ٢٠٢٦-٠٣-٠٦"),
        ("6 मार्च 2026 को जारी", "२०२६-०३-०६ को जारी"),
        ("It closes at 17:30.", "It closes at 5:30 PM."),
        ("Schließt um 17:30.", "Schließt um 17.30 Uhr."),
        ("Ferme à 17:30.", "Ferme à 17h30."),
        ("营业到17:30。", "营业到下午5点30分。"),
        ("It weighs 5 kg.", "It weighs 5kg."),
        ("It weighs 5kg and is red and new.", "It is red and new, and weighs 5 kg."),
        ("Sie hat drei Räder.", "Sie hat 3 Räder."),
        ("Returns within thirty days.", "Returns within 30 days."),
        ("Le total est de 1234.56 euros.", "Le total est de 1 234,56 €."),
        ("Released on 2026-03-06.", "Released in March 2026."),
        ("From 5 January to 7 February.", "From Jan 5 to Feb 7."),
        ("Released on 2026-03-06.", "Released on 06.03.26."),
    ],
)
def test_a_value_is_the_same_in_another_form(written, answer):
    assert said(answer, written).value > 0.8


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ('{"basic": {"price": 1200, "seats": 300}}', "Basic costs $1,300."),
        ("Basic costs 1200 euros, or 300 a month.", "Basic costs 1,300 euros."),
        ("Released on 2026-03-06.", "Released on March 9, 2026."),
        ("It closes at 17:30.", "It closes at 6:30 PM."),
        ("Gewicht: 3.5 Kilo.", "Gewicht: 5 Kilo."),
        ("They sold 2 thousand lamps.", "They sold 2000000 lamps."),
    ],
)
def test_another_value_is_no_support(written, answer):
    score = said(answer, written)
    assert score.value < said(answer, answer).value - 0.2
    assert "are in no document" in score.explanation


@pytest.mark.parametrize(
    ("document", "answer"),
    [
        (unicodedata.normalize("NFD", "Khách hàng được hoàn tiền."), "Khách hàng được hoàn tiền."),
        ("The o\ufb03ce \ufb01les it.", "The office files it."),
        ("\uff34\uff48\uff45 \uff42\uff49\uff4c\uff4c", "The bill"),
        ("Ver\u00adsand in die Schweiz", "Versand in die Schweiz"),
        (json.dumps([{"type": "text", "text": json.dumps({"статус": "отправлен"})}]), "Статус: отправлен."),
        ("Result: \\u043c\\u043e\\u0441\\u043a\\u0432\\u0430", "москва"),
        ('{"text": "First line.\\nSecond line."}', "Second line"),
    ],
)
def test_text_is_compared_not_its_encoding(document, answer):
    assert said(answer, document).value > 0.9


@pytest.mark.parametrize(
    ("document", "good", "bad"),
    [
        ("包裹在最近的商店保管七天。", "商店保管包裹七天。", "司机会打电话通知顾客退款。"),
        (
            "荷物は最寄りの店舗で七日間保管されます。",
            "店舗で荷物を七日間保管します。",
            "運転手が電話で返金を通知します。",
        ),
        ("พัสดุจะถูกเก็บไว้ที่ร้านค้าใกล้บ้านเจ็ดวัน", "พัสดุจะถูกเก็บไว้ที่ร้านค้าเจ็ดวัน", "คนขับรถจะโทรศัพท์แจ้งลูกค้าเรื่องเงินคืน"),
        (
            "소포는 가까운 가게에서 칠일 동안 보관됩니다.",
            "가게가 소포를 칠일 동안 보관합니다.",
            "기사가 고객에게 전화로 환불을 알립니다.",
        ),
    ],
)
def test_scripts_without_spaces_have_words(document, good, bad):
    assert said(good, document).value > 0.5 > said(bad, document).value


def test_wrong_prices_fail_that_pass_when_they_are_right():
    plans = '{"basic": {"price": 1200}, "pro": {"price": 2400}, "team": {"price": 12000}, "currency": "USD"}'
    right = said("Basic costs $1,200, Pro costs $2,400 and Team costs $12,000.", tool_results=(plans,))
    wrong = said("Basic costs $1,300, Pro costs $2,500 and Team costs $13,000.", tool_results=(plans,))
    assert right.value > 0.9
    assert wrong.value < 0.3


def test_a_count_of_what_is_listed_does_not_fail_alone():
    assert said("There are 3 rules: a card, a shop and a signature.", PARCEL).value > 0.5


def test_documents_without_text_are_not_judged_by():
    assert said("The parcel is kept for seven days.", "", "") == Skipped("not_captured")


def test_tool_results_stand_in_for_documents_without_text():
    assert said("The parcel is kept for seven days.", "", tool_results=(PARCEL,)).value > 0.8


def test_documents_that_came_without_text_are_told():
    score = said("Customers in Portugal receive vouchers.", PARCEL, "")
    assert "; 1 of 2 documents came without text" in score.explanation


def test_words_of_the_question_weigh_less():
    answer = f"{PARCEL} Zephyr Logistics asks customers."
    asked = said(answer, PARCEL, question="What does Zephyr Logistics do for customers who ask?")
    assert asked.value > said(answer, PARCEL).value


def test_fields_in_an_envelope_around_prose_are_prose():
    envelope = json.dumps({"id": "a", "score": 0.7, "content": PARCEL * 3})
    assert not facts_of(decoded(envelope)).structured
    assert facts_of(decoded(PLACE)).structured


def cited(answer, **fields):
    documents = (Document(id="parcel", text=PARCEL), Document(id="Doc-7", text=BIKE))
    return citation(
        Trace(**{"trace_id": "t", "content_state": "answered", "answer": answer, "context": documents, **fields})
    )


@pytest.mark.parametrize(
    "answer",
    [
        "The driver leaves a card [1]. The bicycle weighs 11 kilograms [2].",
        "The bicycle has a belt drive [doc-7].",
        "The bicycle has a belt drive. [2]",
        "The parcel is kept for seven days [Parcel].",
        "The parcel is kept for seven days (source: parcel).",
        "The bicycle weighs 11 kilograms\u30102\u2020manual\u3011.",
        "The driver leaves a card [^1].",
    ],
)
def test_good_citations_pass(answer):
    assert cited(answer).value > 0.8


@pytest.mark.parametrize(
    ("answer", "explanation"),
    [
        ("The driver leaves a card [3].", "1 of 1 citations name no document that was retrieved"),
        ("The driver leaves a card [1, 9].", "1 of 2 citations name no document that was retrieved"),
        ("The bicycle has a belt drive [doc-70].", "1 of 1 citations name no document that was retrieved"),
        ("The driver leaves a card [0].", "1 of 1 citations name no document that was retrieved"),
        ("The driver leaves a card [2].", "1 of 1 citing sentences are not supported by the document that they cite"),
    ],
)
def test_bad_citations_fail_and_say_why(answer, explanation):
    score = cited(answer)
    assert score.value < 0.5
    assert score.explanation == explanation


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "No marks here.",
        "Take items[1] of the list.",
        "See [1](https://example.org).",
        "Dear [Name], (see below)",
        "- [ ] buy",
        "It rains (source: BBC).",
    ],
)
def test_what_is_no_citation_does_not_apply(answer):
    assert cited(answer) is None


def test_cited_documents_without_text_support_nothing_and_refute_nothing():
    without = (Document(id="parcel", text=""), Document(id="Doc-7", text=BIKE))
    assert cited("The driver leaves a card [1].", context=without) == Skipped("not_captured")
    assert cited("The driver leaves a card [9].", context=without).value == 0
    assert cited("A card is left [1]. The bicycle weighs 11 kilograms [2].", context=without).value > 0.8


def test_without_documents_citations_cannot_be_checked():
    assert cited("The driver leaves a card [1].", context=()) is None


@pytest.mark.parametrize(
    "answer",
    [
        "\n" * 65536,
        "[" * 65536,
        "[1] " * 16384,
        " ".join(f"w{n}" for n in range(9000)),
        "[1,1,1" * 10000,
        "May 7, 3.33 [2].\n" * 4000,
        "1," * 32768,
        " ".join(f"{number}.7" for number in range(9000)),
        "1.\n" * 20000,
    ],
)
def test_hostile_answers_cost_no_more_than_their_length(answer):
    keys = "{" + ",".join(f'"KeyName{n}Word": false' for n in range(3000)) + "}"
    trace = Trace(
        trace_id="t",
        content_state="answered",
        answer=answer,
        context=(Document(text=keys), Document(text=PARCEL + "9,1 " * 100_000)),
    )
    began = time.process_time()
    grounding(trace)
    citation(trace)
    assert time.process_time() - began < 2
