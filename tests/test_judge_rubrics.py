"""Rubrics: the shipped ones hold, a user's file is read strictly, and a version changes with what the judge is told."""

import pytest
import yaml
from msgspec.structs import replace

from exporter.config import ConfigError, load
from exporter.config.rubrics import SHIPPED, rubric, shipped
from exporter.judge.case import Case
from exporter.judge.prompt import prompt
from exporter.judge.sampling import SamplingRule

TONE = """\
name: tone
summary: The answer is friendly.
instructions: Judge whether the answer is friendly.
scale:
  - {score: 0, means: Rude.}
  - {score: 1, means: Neutral.}
  - {score: 2, means: Friendly.}
pass_score: 1
"""

MISTAKES = {
    "empty file": ("", ['1: $: "instructions" is missing', '1: $: "name" is missing', '1: $: "pass_score" is missing']),
    "unknown key": (TONE + "pas_score: 1\n", ['9: $.pas_score: unknown key "pas_score"; did you mean "pass_score"?']),
    "name": (
        TONE.replace("tone", "Tone!"),
        ['1: $.name: "Tone!" is not possible: the name of a rubric has small letters, digits and _ alone'],
    ),
    "pass score off the scale": (
        TONE.replace("pass_score: 1", "pass_score: 3"),
        ["8: $.pass_score: 3 is not on the scale: name one of 0, 1, 2"],
    ),
    "nothing can fail": (
        TONE.replace("pass_score: 1", "pass_score: 0"),
        ["8: $.pass_score: 0 is the lowest score, so that nothing can fail: raise it"],
    ),
    "one level": (
        TONE.replace("  - {score: 1, means: Neutral.}\n  - {score: 2, means: Friendly.}\n", ""),
        ["4: $.scale: needs at least two levels: one that fails and one that passes"],
    ),
    "score twice": (
        TONE.replace("score: 2", "score: 1"),
        ["4: $.scale: gives one score twice: keep one level for each"],
    ),
    "score with a fraction": (
        TONE.replace("score: 2", "score: 2.5"),
        ["7: $.scale[2].score: expected a whole number, found the number 2.5"],
    ),
    "example off the scale": (
        TONE + "examples:\n  - {question: q, answer: a, score: 9, explanation: e}\n",
        ["10: $.examples[0]: its score 9 is not on the scale (0, 1, 2)"],
    ),
    "example without its context": (
        TONE + "needs_context: true\nexamples:\n  - {question: q, answer: a, score: 1, explanation: e}\n",
        ["11: $.examples[0]: has no context, which this rubric needs: give it one"],
    ),
    "two mistakes": (
        TONE.replace("summary", "sumary").replace("pass_score: 1", "pass_score: one"),
        [
            '1: $: "summary" is missing',
            '2: $.sumary: unknown key "sumary"; did you mean "summary"?',
            "8: $.pass_score: expected a whole number, found text",
        ],
    ),
}


@pytest.fixture
def written(tmp_path):
    """A rubric's file with some text."""

    def write(text, name="tone.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_rubric_is_named_with_line_and_cure(written, text, expected):
    with pytest.raises(ConfigError) as error:
        rubric(written(text))
    found = [f"{one.line}: {one.where}: {one.message}" for one in error.value.problems]
    assert found[: len(expected)] == expected
    assert len(found) == len(expected) or text == ""


def test_mistakes_of_a_rubric_come_with_those_of_the_config_and_name_its_file(written, tmp_path):
    written(TONE.replace("pass_score: 1", "pass_score: 7"))
    config = written("judge:\n  attempts: 0\n  rubrics:\n    tone: {file: tone.yaml}\n", "llmq.yaml")
    with pytest.raises(ConfigError) as error:
        load(config)
    assert str(error.value).splitlines() == [
        f"{config}:2: $.judge.attempts: must be at least 1, found 0",
        f"{tmp_path}/tone.yaml:8: $.pass_score: 7 is not on the scale: name one of 0, 1, 2",
    ]


def test_the_shipped_rubrics_are_these_and_show_both_verdicts():
    assert list(shipped()) == ["faithfulness", "helpfulness"]
    for one in shipped().values():
        assert {one.verdict(example.score) for example in one.examples} == {"pass", "fail"}
        assert [level.score for level in one.scale] == [1, 2, 3, 4, 5]
        assert one.pass_mark == 0.75


def test_a_rubric_in_use_can_be_written_down_and_read_again(written):
    for one in shipped().values():
        fields = yaml.safe_load((SHIPPED / f"{one.name}.yaml").read_text())
        assert rubric(written(yaml.safe_dump(fields))) == one


def test_a_version_is_the_model_and_a_hash_of_all_that_the_judge_is_told(written):
    tone = rubric(written(TONE))
    assert tone.version("judge-1") == f"judge-1+{tone.hash}"
    told = [
        replace(tone, instructions="Judge."),
        replace(tone, pass_score=2),
        replace(tone, scale=tone.scale[:2]),
        replace(tone, needs_context=True),
        replace(tone, max_characters=replace(tone.max_characters, answer=100)),
    ]
    assert len({one.hash for one in [tone, *told]}) == 6
    assert replace(tone, summary="Otherwise summed up.").hash == tone.hash
    assert rubric(written("# a comment\n" + TONE)).hash == tone.hash


def test_scores_of_any_scale_become_shares(written):
    tone = rubric(written(TONE))
    assert [tone.share(score) for score in (0, 1, 2)] == [0.0, 0.5, 1.0]
    assert [tone.verdict(score) for score in (0, 0.9, 1, 2)] == ["fail", "fail", "pass", "pass"]


def test_a_rubric_that_needs_context_applies_only_where_there_is_some():
    bare = Case(question="q", answer="a")
    assert [shipped()[name].applies_to(bare) for name in ("faithfulness", "helpfulness")] == [False, True]
    assert shipped()["faithfulness"].applies_to(replace(bare, context=("c",)))


def test_text_of_a_rubric_with_braces_is_shown_as_it_is(written):
    tone = rubric(written(TONE.replace("is friendly.\nscale", "has no {placeholder} {0}.\nscale")))
    assert "has no {placeholder} {0}." in prompt(Case(question="q", answer="a"), tone).messages[0]["content"]


def test_a_users_rubric_is_judged_by_its_own_rules_or_by_those_of_all(written, tmp_path):
    written(TONE)
    config = load(
        written(
            "judge:\n  sampling: [{rate: 0.2}]\n  rubrics:\n    tone: {file: tone.yaml, sampling: [{rate: 0.5}]}\n"
            "    helpfulness: {enabled: false}\n",
            "llmq.yaml",
        )
    )
    assert [one.name for one in config.judge.rubrics] == ["faithfulness", "tone"]
    assert config.judge.rules == {"faithfulness": (SamplingRule(rate=0.2),), "tone": (SamplingRule(rate=0.5),)}


def test_the_judge_is_off_by_default_and_what_it_would_cost_is_bounded():
    judge = load().judge
    assert not judge.enabled
    assert judge.caps.day.tokens == 5_000_000
    assert (judge.endpoint.url, judge.api_key, judge.emit) == ("", None, None)


def test_the_judge_is_priced_by_the_first_pattern_that_matches(written):
    config = load(
        written(
            'prices:\n  "judge-*": {input: 0.15, output: 0.6}\n  "*": {input: 9, output: 9}\n'
            "judge:\n  enabled: true\n  endpoint: http://127.0.0.1:1/v1\n  model: judge-1\n"
            "  budget: {day: {dollars: 1.1}}\n",
            "llmq.yaml",
        )
    )
    assert (str(config.judge.tariff.input), str(config.judge.tariff.output)) == ("0.15", "0.6")
    assert config.judge.caps.day.micros == 1_100_000


@pytest.mark.parametrize(
    ("lines", "warning"),
    [
        ("", "no anchor set: the judge is neither calibrated nor gated; name a file"),
        ("  endpoint: http://far.example/v1\n  api_key: {env: KEY}\n", "the API key crosses the network unencrypted"),
        ("  pin: {models: [judge-2]}\n", 'does not list the model itself ("judge-1")'),
        ("  budget: {hour: {tokens: 9000000}}\n", "has no effect: the limit of a day is lower"),
        ("  sampling: [{rate: 1}, {rate: 0.1}]\n", "is never reached: rule 0 matches everywhere"),
        ("  rubrics: {helpfulness: {enabled: false}, faithfulness: {enabled: false}}\n", "no rubric is enabled"),
    ],
)
def test_what_is_odd_in_a_judge_is_a_warning(written, lines, warning):
    base = "judge:\n  enabled: true\n  model: judge-1\n"
    base += "" if "endpoint" in lines else "  endpoint: http://127.0.0.1:1/v1\n"
    config = load(written(base + lines, "llmq.yaml"), environ={"KEY": "a-secret-of-some-length"})
    assert any(warning in str(one) for one in config.warnings)


def test_the_key_is_shown_nowhere(written):
    text = "judge:\n  enabled: true\n  endpoint: http://127.0.0.1:1/v1\n  model: m\n  api_key: {env: KEY}\n"
    config = load(written(text, "llmq.yaml"), environ={"KEY": "planted-secret-0123456789"})
    assert config.judge.api_key.value == "planted-secret-0123456789"
    assert "planted" not in repr(config)


def test_what_is_wrong_in_an_anchor_set_is_told_with_the_rest_of_the_config(written):
    path = written('{"id": "1"}\n\nno\n', "anchors.jsonl")
    with pytest.raises(ConfigError) as raised:
        load(written("judge:\n  anchors: {file: anchors.jsonl}\n  concurrency: none\n", "llmq.yaml"))
    first, last, config = raised.value.problems
    assert str(first) == f'{path}:1: anchor: "evaluator" is missing'
    assert str(last) == f"{path}:3: anchor: is not a JSON object"
    assert config.where == "$.judge.concurrency"
