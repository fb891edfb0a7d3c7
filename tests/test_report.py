from exporter.model.score import Evaluation, Failure, Outcome, Unscored
from exporter.model.trace import Trace
from exporter.offline.report import Paint, Summary, shortened, table, trace_lines

PLAIN = Paint(colour=False)
OUTCOME = Outcome(
    evaluations=(
        Evaluation(
            evaluator="grounding", evaluator_version="1", verdict="fail", score=0.25, explanation="why", quotes=("x",)
        ),
        Evaluation(evaluator="empty", evaluator_version="1", verdict="pass", score=1.0),
    ),
    unscored=(Unscored(evaluator="citation", reason="not_applicable"),),
    failures=(Failure(evaluator="slow", evaluator_version="1", reason="timeout", detail="interrupted"),),
)


def test_columns_are_aligned_and_colours_take_no_room():
    coloured = Paint(colour=True)("fail", "fail")
    assert coloured == "\x1b[31mfail\x1b[0m"
    lines = list(table([("a", coloured, "1"), ("long", "x", "200")], right=(2,)))
    assert lines == [f"a     {coloured}    1", "long  x     200"]


def test_an_empty_table_has_no_lines():
    assert list(table([])) == []


def test_a_trace_reads_from_what_was_said_to_why_it_counts():
    trace = Trace(
        trace_id="ab",
        app="shop",
        route="/chat",
        model_version="m",
        prompt_version="v3",
        content_state="answered",
        question="Why?",
        answer="Because.",
        duration_seconds=1.234,
        input_tokens=42,
        dialect="otel",
    )
    assert list(trace_lines(trace, OUTCOME, PLAIN)) == [
        "trace ab · shop /chat · m · prompt v3 · answered · 1.23 s · 42 + ? tokens · otel",
        "  question  Why?",
        "  answer    Because.",
        '  grounding  fail      0.25  why: "x"',
        "  empty      pass      1.00",
        "  slow       failure      -  timeout: interrupted",
        "  citation   unscored     -  not applicable",
    ]


def test_text_is_one_short_line_that_cannot_move_the_cursor():
    assert shortened("a\x1b[2J\n\tb\u202e \x00c") == "a [2J b c"
    assert shortened("word " * 100, 20) == "word word word word…"
    assert len(shortened("x" * 10_000_000, 50)) == 50


def test_hostile_names_cannot_forge_lines():
    trace = Trace(trace_id="ab", app="shop\ntrace cd", route="\x1b[31m", content_state="answered")
    header = next(iter(trace_lines(trace, Outcome(), PLAIN)))
    assert header.isprintable()


def test_the_summary_has_a_rate_only_where_there_are_verdicts():
    summary = Summary()
    summary.add(OUTCOME)
    summary.add(Outcome(evaluations=OUTCOME.evaluations))
    assert list(summary.lines()) == [
        "evaluator  pass  fail  unscored  failure  pass rate",
        "grounding     0     2         0        0       0.0%",
        "empty         2     0         0        0     100.0%",
        "citation      0     0         1        0          -",
        "slow          0     0         0        1          -",
    ]
