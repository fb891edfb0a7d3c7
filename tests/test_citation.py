"""Citation marks: what is one, which sentence it belongs to, and which document it names."""

import pytest

from exporter.evaluators.citation import citation
from exporter.evaluators.citation_marks import MOST_MARKS, cited
from exporter.model.trace import Document, Trace

KB = ("kb-11", "kb-12", "kb-13")


def said(text):
    """What `citation` says of an answer, whose documents all say the same as it does."""
    context = tuple(Document(text=text, id=name) for name in KB)
    return citation(Trace(trace_id="t", content_state="answered", answer=text, context=context))


def places(text, ids=KB):
    return [one.place for one in cited(text, ids)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Refunds take 30 days [1].", [0]),
        ("Refunds take 30 days[1].", [0]),
        ("Refunds take 30 days.[1]", [0]),
        ("Refunds take 30 days. [2] Shipping is free [3].", [1, 2]),
        ("Refunds take 30 days [1][7].", [0, None]),
        ("Refunds take 30 days[1][2].", [0, 1]),
        ("Refunds take 30 days [1, 2].", [0, 1]),
        ("Refunds take 30 days [1,3].", [0, 2]),
        ("Refunds take 30 days [1; 3].", [0, 2]),
        ("Refunds take 30 days [1-3].", [0, 1, 2]),
        ("Refunds take 30 days [1–3].", [0, 1, 2]),
        ("Refunds take 30 days [1, 9].", [0, None]),
        ("Refunds take 30 days [[1]].", [0]),
        ("Refunds take 30 days [[2]](https://example.org/any).", [1]),
        ("Refunds take 30 days ([1]).", [0]),
        ("Refunds take 30 days (see [1]).", [0]),
        ("Refunds take 30 days [^2].", [1]),
        ("Refunds take 30 days[^1][^2].", [0, 1]),
        ("**Refunds take 30 days**[1]", [0]),
        ("In 2024[1] it was 20[2].", [0, 1]),
        ('The policy says "30 days"[1].', [0]),
        ("The EU[1] and NASA[2] agree.", [0, 1]),
        ("[1] says that refunds take 30 days.", [0]),
        ("According to [1] and [2], refunds take 30 days.", [0, 1]),
        ("| Refund | 30 days [2] |", [1]),
        ("退款需要30天[1]。", [0]),
        ("退款在三十天内接受[1]。运费免费［2］。", [0, 1]),
        ("返品は30日以内です[2]。", [1]),
        ("환불은 30일 이내에 가능합니다[1].", [0]),
        ("Возврат возможен в течение 30 дней[3].", [2]),
        ("يمكن استرداد المبلغ خلال 30 يومًا[1].", [0]),
        ("धनवापसी 30 दिनों में होती है[2]।", [1]),
        ("Die Rückgabe ist möglich für[1] alle.", [0]),
        ("Refunds take 30 days [doc1].", [0]),
        ("Refunds take 30 days [doc1][doc3].", [0, 2]),
        ("Refunds take 30 days [doc1, doc2].", [0, 1]),
        ("Refunds take 30 days [Doc 2].", [1]),
        ("Refunds take 30 days [doc9].", [None]),
        ("Refunds take 30 days [Source 2].", [1]),
        ("Refunds take 30 days [Source: 2].", [1]),
        ("Refunds take 30 days [Sources 1 and 2].", [0, 1]),
        ("Refunds take 30 days [Source 1, Source 3].", [0, 2]),
        ("Refunds take 30 days [Source 7].", [None]),
        ("Refunds take 30 days [document #1].", [0]),
        ("Rückgabe in 30 Tagen [Quelle 2].", [1]),
        ("退款需要30天[文档1]。", [0]),
        ("返品は30日以内です[出典2]。", [1]),
        ("Refunds take 30 days (Source: 2).", [1]),
        ("Refunds take 30 days (source: kb-12).", [1]),
        ("Refunds take 30 days (source 9).", [None]),
        ("Refunds take 30 days (see kb-13).", [2]),
        ("Refunds take 30 days【4:0†source】.", [0]),
        ("Refunds take 30 days【4:2†policy.pdf】【12:1†source】.", [2, 1]),
        ("Refunds take 30 days【4:3†source】.", [None]),
        ("Refunds take 30 days【2】.", [1]),
        ("退款需要30天【文档1】。", [0]),
        ("Refunds take 30 days¹.", [0]),
        ("Refunds take 30 days.² Shipping is free.³", [1, 2]),
        ("Refunds take 30 days¹².", [0, 1]),
        ("退款需要三十天²。", [1]),
        ("Refunds take 30 days<sup>1</sup>.", [0]),
        ("Refunds take 30 days [kb-11].", [0]),
        ("Refunds take 30 days [KB-12, kb-13].", [1, 2]),
        ("Refunds take 30 days [kb-99].", [None]),
        ("See [our refund policy](kb-12).", [1]),
        ("See [kb-13](https://example.org/refunds).", [2]),
        ('See [the policy](https://help.example.org/kb-12 "title").', [1]),
        ("See [1](#1).", [0]),
        ('{"answer": "Refunds take 30 days [2]."}', [1]),
    ],
)
def test_a_mark_names_documents(text, expected):
    score = said(text)
    missing = expected.count(None)
    assert score is not None
    assert score.explanation == (
        f"{missing} of {len(expected)} citations name no document that was retrieved" if missing else ""
    )
    if not text.startswith("{"):
        assert places(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "```python\nvalues = [10, 20, 30]\nprint(values[1])\n```",
        "~~~\n[1]\n~~~",
        "Run this:\n```\nx = rows[1]\n[2]",
        "Use `rows[1]` or `[2]` there.",
        "The value arr[1] is the second one.",
        "matrix[1][2] is a cell.",
        "user_ids[1] and rowData[2] and x1[3] are indices.",
        "Write values = [10, 20, 30] for a list.",
        "A list such as [10, 20, 30] has three items.",
        "Call sum([1, 2]) first.",
        "It is in the interval [0, 1].",
        "It lies in the range [1, 3].",
        "Any x ∈ [1, 2] will do.",
        'The body is {"ids": [1, 2], "names": ["kb", 3]}.',
        "The nested list [[1, 2], [3, 4]] has two rows.",
        '{"ids": [1, 2], "count": 2}',
        "[1, 2, 3]",
        "The ticket [INC-1042] is open.",
        "Since [2024] and [2019-2023] nothing changed.",
        "The status was [404].",
        "- [x] done\n- [ ] open",
        "Dear [Name], see [this page](https://example.org/page).",
        "See [1](https://example.org).",
        "![1](kb-chart.png)",
        "[1]: https://example.org",
        "[1] Open the lid.\n[2] Close the lid.\n[3] Lock it.",
        "The area is 20 m² or 3 km², and 10³ of x² fit.",
        "The area is 20 м² or 3 км².",
        "Refunds (see below) and (Source: BBC) and (see 2).",
        "The rule of Article 5 [Article 5] holds.",
        "【重要】 Read this.",
        "It was read【13†L1-L4】.",
    ],
)
def test_what_is_no_mark_names_nothing(text):
    assert said(text) is None


def test_an_id_outranks_a_place():
    assert places("It is so [2].", ("2", "1")) == [0]
    assert places("It is so [doc-70].", ("doc-7", "doc-8")) == [None]
    assert places("It is so [doc-1].", ("doc-7", "doc-8")) == [None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is so [handbook.pdf].", [0]),
        ("It is so [handbook.pdf, p. 3].", [0]),
        ("It is so [docs/Handbook.pdf].", [0]),
        ("It is so [here](https://www.example.org/help/refunds/).", [1]),
        ("It is so [here](http://example.org/help/refunds).", [1]),
        ("It is so [here](https://example.org/other/refunds).", []),
        ("It is so [0190f3a2-aaaa-7bbb-8ccc-123456789abc].", [2]),
        ("It is so [0190f3a2-0000-7bbb-8ccc-000000000000].", [None]),
    ],
)
def test_files_addresses_and_long_ids_are_ids(text, expected):
    ids = ("handbook.pdf", "https://example.org/help/refunds", "0190f3a2-aaaa-7bbb-8ccc-123456789abc")
    assert places(text, ids) == expected


def test_a_mark_belongs_to_the_sentence_that_it_follows():
    text = "Refunds take 30 days.[1] Shipping is free! [1][2]\nNo mark here.\n[3] gives an address."
    assert [(one.sentence, one.place) for one in cited(text, KB)] == [
        ("Refunds take 30 days.", 0),
        ("Shipping is free!", 0),
        ("Shipping is free!", 1),
        ("gives an address.", 2),
    ]
    assert [one.sentence for one in cited("退款需要30天。[1]运费免费[2]。", KB)] == ["退款需要30天。", "运费免费。"]


def test_a_list_of_references_cites_nothing_but_tells_what_its_numbers_name():
    text = "Refunds take 30 days [7]. Shipping is free [2].\n\nReferences:\n[7] Policy, kb-13\n[2] Shipping terms"
    assert places(text) == [2, 1]
    assert places("Refunds take 30 days[^9].\n\n[^9]: Without weekends.") == []
    assert places("Refunds take 30 days [9].\n\n[9] An invented book") == [None]


def test_no_more_marks_are_looked_at_than_allowed():
    assert len(places("It is so [1]. " * 500)) == MOST_MARKS
    assert len(places("It is so [1-3]. " * 500)) == MOST_MARKS
