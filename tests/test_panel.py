"""The panel: every evaluator ends in exactly one of evaluation, unscored, failure."""

import math
import re
import signal
import threading
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.evaluators import built_in, described, evaluator
from exporter.evaluators.panel import EvaluatorRule, EvaluatorSpec, Panel, PanelError
from exporter.evaluators.registry import DuplicateEvaluatorError, Registry
from exporter.model.score import Score, Skipped
from exporter.model.trace import Document, ToolCall, Trace


def named(name, function, **declared):
    return described(evaluator(name, version="7", **declared)(function))


def panel_of(function, spec=None, **declared):
    return Panel({"probe": spec} if spec else {}, Registry([named("probe", function, **declared)]))


def answered(**fields):
    return Trace(**{"trace_id": "t", "content_state": "answered", "answer": "Paris.", **fields})


@pytest.mark.parametrize(
    ("result", "verdict", "score"),
    [
        (True, "pass", 1.0),
        (False, "fail", 0.0),
        (0.5, "pass", 0.5),
        (0.49, "fail", 0.49),
        (1, "pass", 1.0),
        (Score(0.9, passed=False, explanation="no"), "fail", 0.9),
        (Score(0.1, passed=True), "pass", 0.1),
        (Score(0.7), "pass", 0.7),
    ],
)
def test_a_result_becomes_an_evaluation_with_a_verdict(result, verdict, score):
    [said] = panel_of(lambda trace: result).evaluate(answered()).evaluations
    assert (said.evaluator, said.evaluator_version, said.verdict, said.score) == ("probe", "7", verdict, score)


@pytest.mark.parametrize(
    "result",
    [
        math.nan,
        math.inf,
        -0.1,
        1.01,
        "good",
        [],
        object(),
        Score(2.0),
        Score("x"),
        Score(True),
        Score(0.5, explanation=5),
    ],
)
def test_an_impossible_result_is_a_failure_and_no_verdict(result):
    outcome = panel_of(lambda trace: result).evaluate(answered())
    assert not outcome.evaluations
    assert [one.reason for one in outcome.failures] == ["invalid_result"]


@pytest.mark.parametrize("reason", ["not_applicable", "not_captured", "language", "schema"])
def test_an_evaluator_that_skips_a_trace_says_why(reason):
    outcome = panel_of(lambda trace: Skipped(reason)).evaluate(answered())
    assert [(one.evaluator, one.reason) for one in outcome.unscored] == [("probe", reason)]
    assert not outcome.evaluations
    assert not outcome.failures


def test_to_skip_for_a_reason_that_does_not_exist_is_a_failure():
    outcome = panel_of(lambda trace: Skipped("the secret answer")).evaluate(answered())
    assert [one.reason for one in outcome.failures] == ["invalid_result"]
    assert "secret" not in outcome.failures[0].detail


@pytest.mark.parametrize("error", [ValueError("the secret answer"), SystemExit(1), RecursionError()])
def test_an_exception_is_a_failure_that_names_its_class_and_quotes_nothing(error):
    def broken(trace):
        raise error

    [failure] = panel_of(broken).evaluate(answered()).failures
    assert (failure.reason, failure.detail) == ("exception", type(error).__name__)


def test_ctrl_c_ends_the_panel():
    def interrupted(trace):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        panel_of(interrupted).evaluate(answered())


@pytest.mark.parametrize(("state", "reason"), [("not_captured", "not_captured"), ("error", "not_applicable")])
def test_without_content_no_evaluator_runs_and_each_says_why(state, reason):
    panel = Panel({}, built_in())
    outcome = panel.evaluate(answered(content_state=state))
    assert [(one.evaluator, one.reason) for one in outcome.unscored] == [(name, reason) for name in panel.names]
    assert not outcome.durations


def catastrophic(trace):
    """Backtracks for longer than the universe has."""
    return re.match(r"(a+)+$", "a" * 60 + "b") is None


def test_a_catastrophic_pattern_is_interrupted_and_the_next_evaluators_still_run():
    registry = Registry([named("stuck", catastrophic), named("next", lambda trace: True)])
    panel = Panel({"stuck": EvaluatorSpec(name="stuck", timeout_seconds=0.2)}, registry)
    outcome = panel.evaluate(answered())
    assert [(one.evaluator, one.reason) for one in outcome.failures] == [("stuck", "timeout")]
    assert [one.evaluator for one in outcome.evaluations] == ["next"]
    assert 0.2 <= dict(outcome.durations)["stuck"] < 5  # by itself it would take longer than anybody lives


def test_an_evaluator_is_interrupted_soon_however_long_its_timeout_is():
    panel = panel_of(catastrophic, EvaluatorSpec(name="probe", timeout_seconds=3600))
    before = time.thread_time()
    outcome = panel.evaluate(answered())
    assert [one.reason for one in outcome.failures] == ["timeout"]
    assert time.thread_time() - before < 1


def test_an_evaluator_that_swallows_every_exception_is_still_interrupted():
    def stubborn(trace):
        while True:
            try:
                catastrophic(trace)
            except Exception:  # noqa: BLE001 - the habit that this is about
                continue

    outcome = panel_of(stubborn, EvaluatorSpec(name="probe", timeout_seconds=0.1)).evaluate(answered())
    assert [one.reason for one in outcome.failures] == ["timeout"]


def test_outside_the_main_thread_a_late_result_is_a_timeout_all_the_same():
    def slow(trace):
        return sum(range(300_000)) > 0

    panel = panel_of(slow, EvaluatorSpec(name="probe", timeout_seconds=0.0001))
    seen = []
    thread = threading.Thread(target=lambda: seen.append(panel.evaluate(answered())))
    thread.start()
    thread.join()
    assert [(one.reason, one.detail) for one in seen[0].failures] == [("timeout", "found out afterwards")]


def test_signal_handler_and_timer_are_as_they_were():
    def mine(number, frame):
        raise AssertionError

    before = signal.signal(signal.SIGALRM, mine)
    try:
        signal.setitimer(signal.ITIMER_REAL, 500)
        panel = panel_of(lambda trace: True)
        with panel.armed():
            panel.evaluate(answered())
            panel.evaluate(answered())
            assert signal.getsignal(signal.SIGALRM) is not mine
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 400
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def echo(trace, *, say: float = 0.25, words: tuple[str, ...] = ()):
    """Says what it is told."""
    return say


def test_the_first_rule_that_matches_app_and_route_gives_the_options():
    rules = (
        EvaluatorRule(apps=("shop*",), routes=("/checkout/*",), options={"say": 0.1}),
        EvaluatorRule(apps=("shop*", "web"), options={"say": 0.9}),
    )
    panel = panel_of(echo, EvaluatorSpec(name="probe", rules=rules))

    def said(app, route):
        outcome = panel.evaluate(answered(app=app, route=route))
        return outcome.evaluations[0].score if outcome.evaluations else outcome.unscored[0].reason

    assert said("shop-eu", "/checkout/pay") == 0.1
    assert said("shop-eu", "/search") == 0.9
    assert said("web", "/checkout/pay") == 0.9
    assert said("mail", "/") == "not_applicable"
    assert said("shop-eu", "/checkout/pay") == 0.1


def versions(spec=None, function=echo):
    return panel_of(function, spec).versions["probe"]


def with_options(**options):
    return EvaluatorSpec(name="probe", rules=(EvaluatorRule(options=options),))


def test_defaults_have_the_plain_version_also_where_they_are_spelt_out():
    assert versions() == ("7",)
    assert versions(with_options(say=0.25, words=[])) == ("7",)
    assert versions(EvaluatorSpec(name="probe", pass_mark=0.5, timeout_seconds=2)) == ("7",)


def test_options_that_are_no_defaults_are_part_of_the_version_and_of_what_is_said():
    [version] = versions(with_options(say=0.75))
    assert version == "7+811a95"  # in any process, on any machine
    assert versions(with_options(words=[], say=0.75)) == (version,)
    assert version not in versions(with_options(say=0.8))
    [said] = panel_of(echo, with_options(say=0.75)).evaluate(answered()).evaluations
    assert said.evaluator_version == version
    [failed] = panel_of(echo, with_options(say=7.5)).evaluate(answered()).failures
    assert failed.evaluator_version == versions(with_options(say=7.5))[0]


def test_a_pass_mark_of_ones_own_is_part_of_the_version():
    [strict] = versions(EvaluatorSpec(name="probe", pass_mark=0.9))
    assert strict.startswith("7+")
    assert strict not in versions(EvaluatorSpec(name="probe", pass_mark=0.8))


def test_each_rule_has_its_version():
    rules = (
        EvaluatorRule(apps=("shop",), options={"say": 0.9}),
        EvaluatorRule(apps=("web",), options={"say": 0.9}),
        EvaluatorRule(),
    )
    assert versions(EvaluatorSpec(name="probe", rules=rules)) == (*versions(with_options(say=0.9)), "7")


def test_a_schema_in_a_file_counts_by_its_content(tmp_path):
    def version(name, content):
        (tmp_path / name).write_text(content)
        spec = EvaluatorSpec(name="json_schema", rules=(EvaluatorRule(options={"schema_file": str(tmp_path / name)}),))
        return Panel({"json_schema": spec}, built_in()).versions["json_schema"]

    text = '{"type": "object", "required": ["a"]}'
    assert version("one.json", text) == version("two.json", text.replace(" ", "\n"))
    assert version("one.json", text) != version("one.json", text.replace('"a"', '"b"'))


def test_traces_that_are_evaluated_together_get_what_each_gets_alone():
    def late_for_one(trace, *, say: float = 0.25):
        return catastrophic(trace) if trace.route == "/stuck" else say

    rules = (EvaluatorRule(apps=("shop",), options={"say": 0.75}), EvaluatorRule(apps=("web",)))
    spec = EvaluatorSpec(name="late", timeout_seconds=0.1, rules=rules)
    panel = Panel({"late": spec}, Registry([named("late", late_for_one), named("next", lambda trace: True)]))
    traces = [
        answered(app=app, route=route, content_state=state)
        for app, route, state in (
            ("shop", "/", "answered"), ("web", "/stuck", "answered"), ("mail", "/", "answered"), ("web", "/", "error"),
            ("web", "/", "not_captured"), ("web", "/", "empty"),
        )
    ]  # fmt: skip
    together, alone = panel.evaluate_all(traces), [panel.evaluate(trace) for trace in traces]
    assert [said_of(one) for one in together] == [said_of(one) for one in alone]
    assert [one.reason for one in together[1].failures] == ["timeout"]
    assert panel.evaluate_all([]) == []


def said_of(outcome):
    return msgspec.structs.replace(outcome, durations=tuple(name for name, _ in outcome.durations))


def test_many_apps_do_not_grow_the_panel_without_bound():
    panel = panel_of(echo, EvaluatorSpec(name="probe", rules=(EvaluatorRule(apps=("a1",)),)))
    for number in range(10_000):
        panel.evaluate(answered(app=f"a{number}", route="x" * 5000))
    assert len(panel._plans) <= 4096
    assert max(len(route) for _, route in panel._plans) <= 1024


def test_pass_marks_come_from_the_spec_else_from_the_evaluator():
    strict = panel_of(echo, EvaluatorSpec(name="probe", pass_mark=0.2), pass_mark=0.9)
    assert strict.evaluate(answered()).evaluations[0].verdict == "pass"
    assert panel_of(echo, pass_mark=0.9).evaluate(answered()).evaluations[0].verdict == "fail"


def test_everything_wrong_is_told_at_once_with_its_place():
    specs = {
        "probe": EvaluatorSpec(
            name="probe",
            pass_mark=2,
            timeout_seconds=0,
            rules=(EvaluatorRule(), EvaluatorRule(options={"say": "x", "words": [1], "loud": True})),
        ),
        "prob": EvaluatorSpec(name="prob"),
    }
    with pytest.raises(PanelError) as caught:
        Panel(specs, Registry([named("probe", echo)]))
    assert str(caught.value).splitlines() == [
        "evaluators.prob: no evaluator is named 'prob'; there are: probe",
        "evaluators.probe.pass_mark: must be between 0 and 1",
        "evaluators.probe.timeout: must be above 0 and at most an hour",
        "evaluators.probe.rules.1.options.say: expected a number, found text",
        "evaluators.probe.rules.1.options.words: [0]: expected text, found a whole number",
        "evaluators.probe.rules.1.options.loud: no such option; the options are: say, words",
    ]


def test_a_disabled_evaluator_is_no_part_of_the_panel():
    panel = Panel({"refusal": EvaluatorSpec(name="refusal", enabled=False)}, built_in())
    assert "refusal" not in panel.names
    assert "empty" in panel.names


def test_two_evaluators_of_one_name_are_an_error():
    with pytest.raises(DuplicateEvaluatorError, match="probe"):
        Registry([named("probe", echo), named("probe", echo)])


def test_every_built_in_evaluator_is_listed_with_a_sentence_and_its_options():
    listed = {one.name: one for one in built_in().listing()}
    assert list(listed) == [
        "refusal", "empty", "truncated", "repetition", "format", "json_schema", "tool_calls", "tool_error", "tool_loop",
        "grounding", "citation", "private_data", "prompt_leak", "language_match",
    ]  # fmt: skip
    assert all(one.summary.endswith(".") and one.version and one.kind == "code" for one in listed.values())
    assert ("max_length", "int | null", "null") in listed["format"].options


RESULTS = st.one_of(
    st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.just(ZeroDivisionError()),
    st.builds(Score, st.floats(), st.one_of(st.none(), st.booleans())),
)  # fmt: skip


@given(
    st.lists(RESULTS, max_size=5),
    st.sampled_from(["answered", "empty", "refused", "not_captured", "error"]),
    st.sampled_from(["shop", "web"]),
)
@settings(max_examples=200)
def test_each_evaluator_ends_in_exactly_one_place(results, state, app):
    def saying(result):
        def say(trace):
            if isinstance(result, Exception):
                raise result
            return result

        return say

    registry = Registry([named(f"e{number}", saying(result)) for number, result in enumerate(results)])
    specs = {"e1": EvaluatorSpec(name="e1", rules=(EvaluatorRule(apps=("shop",)),))} if len(results) > 1 else {}
    outcome = Panel(specs, registry).evaluate(answered(content_state=state, app=app))
    places = [one.evaluator for one in (*outcome.evaluations, *outcome.unscored, *outcome.failures)]
    assert sorted(places) == sorted(registry.evaluators)
    assert all(0 <= one.score <= 1 for one in outcome.evaluations)
    msgspec.json.encode(outcome)


TEXT = st.one_of(st.none(), st.text(), st.sampled_from(["{", '{"a":1}', "[1]", "```", "|a|\n|-|", "\ud800", "\x00"]))

ARGUMENTS = st.one_of(TEXT, st.dictionaries(st.text(), st.integers()))


@given(
    answer=TEXT, refusal=TEXT, finish=TEXT, json_requested=st.booleans(),
    context=st.lists(st.text().map(lambda text: Document(text=text)), max_size=3).map(tuple),
    calls=st.lists(st.builds(ToolCall, name=st.text(), arguments=ARGUMENTS), max_size=2).map(tuple),
    schema=st.one_of(st.none(), st.dictionaries(st.sampled_from(["type", "$ref", "pattern"]), st.text())),
    state=st.sampled_from(["answered", "empty", "refused"]),
)  # fmt: skip
@settings(max_examples=300)
def test_the_built_in_evaluators_never_fail(answer, refusal, finish, json_requested, context, calls, schema, state):
    trace = answered(
        answer=answer, refusal=refusal, finish_reason=finish, context=context, tool_calls=calls, content_state=state,
        json_requested=json_requested, response_schema=schema,
    )  # fmt: skip
    panel = ALL
    outcome = panel.evaluate(trace)
    assert outcome.failures == ()
    assert len(outcome.evaluations) + len(outcome.unscored) == len(panel.names)


ALL = Panel({}, built_in())
