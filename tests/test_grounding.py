"""`grounding` and `citation`: what documents support, and what they do not."""

import time

import pytest

from exporter.evaluators.citation import citation
from exporter.evaluators.facts import Conflicts, conflicts, facts_of
from exporter.evaluators.grounding import grounding
from exporter.evaluators.words import sentences
from exporter.trace import Document, Trace

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


PLACE = '{"name": "Quay", "OutdoorSeating": false, "WiFi": "free", "Music": null, "hours": {"Monday": "9:0-17:30"}}'


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Quay offers outdoor seating.", Conflicts(contradicted=1)),
        ("Quay has no outdoor seating.", Conflicts()),
        ("There is no WiFi at Quay.", Conflicts(contradicted=1)),
        ("Quay has free WiFi.", Conflicts()),
        ("Guests enjoy live music.", Conflicts(unknown=1)),
        ("It is not known whether there is music.", Conflicts()),
        ("Quay opens at 9 am and closes at 5:30 PM.", Conflicts()),
        ("Quay opens at 8 AM.", Conflicts(times=1)),
        ("Quay is on 108 AM.", Conflicts()),
    ],
)
def test_facts_of_json_are_compared(answer, expected):
    lines = [b" " + b" ".join(words.split()) + b" " for _, words in sentences(answer)]
    assert conflicts(facts_of(PLACE), lines, answer) == expected


def test_rows_that_disagree_state_nothing():
    rows = '[{"parking": true}, {"parking": false}]'
    assert conflicts(facts_of(rows), [b" there is parking "], "") == Conflicts()


def test_a_contradicted_fact_lowers_the_score():
    good = said("Quay has free WiFi and no outdoor seating.", PLACE)
    bad = said("Quay has free WiFi and outdoor seating.", PLACE)
    assert bad.value < good.value
    assert "1 facts contradicted" in bad.explanation


@pytest.mark.parametrize("text", ["", "x", "{", "{]", "[" * 5000, "\ud800", '{"a": 1e999}'])
def test_odd_documents_are_text(text):
    assert facts_of(text) is None
    assert said("The parcel is late.", text).value < 0.5


def test_an_answer_beyond_the_limit_is_judged_by_its_beginning_and_says_so():
    score = said("Falcons guard it. " * 10_000, PARCEL)
    assert "looked at the first 65536 characters" in score.explanation


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
        "1.\n" * 20000,
    ],
)
def test_hostile_answers_cost_no_more_than_their_length(answer):
    keys = "{" + ",".join(f'"KeyName{n}Word": false' for n in range(3000)) + "}"
    trace = Trace(
        trace_id="t", content_state="answered", answer=answer, context=(Document(text=keys), Document(text=PARCEL))
    )
    began = time.process_time()
    grounding(trace)
    citation(trace)
    assert time.process_time() - began < 2
