"""What `llmq check` says a day of the judge costs, and which limits of a budget hold."""

import pytest

from exporter.config import load, to_yaml
from exporter.judge.budget import Cap, Cost
from exporter.offline.forecast import forecast, forecast_lines


@pytest.fixture
def judge(tmp_path):
    """A config with a judge of one rubric, at two dollars a million tokens in and ten out."""

    def configured(section=""):
        path = tmp_path / "llmq.yaml"
        path.write_text(
            "prices: {judge-1: {input: 2, output: 10}}\n"
            "judge:\n  enabled: true\n  endpoint: http://127.0.0.1:9/v1\n  model: judge-1\n"
            f"  rubrics: {{faithfulness: {{enabled: false}}}}\n{section}"
        )
        return load(path)

    return configured


def test_a_days_calls_are_the_sample_the_repeats_and_the_floor(judge):
    [day] = forecast(judge("  traffic: 100000\n  sampling: [{rate: 0.1}]\n  repeat: 0.02\n").judge)
    assert day.calls == 10_200
    [day] = forecast(judge("  traffic: 100\n  sampling: [{rate: 0.1, floor: 30}]\n  repeat: 0\n").judge)
    assert day.calls == 30
    [day] = forecast(judge("  traffic: 10\n  sampling: [{rate: 0.1, floor: 30}]\n  repeat: 0\n").judge)
    assert day.calls == 10


def test_a_day_is_told_in_tokens_and_dollars_and_held_against_the_budget(judge):
    config = judge("  traffic: 1000000\n  sampling: [{rate: 1.0}]\n  budget: {day: {dollars: 10}}\n")
    [day] = forecast(config.judge)
    assert day.likely.micros >= 2 * (day.likely.tokens - 120 * day.calls) + 10 * 120 * day.calls
    assert day.most.tokens > day.likely.tokens
    text = "\n".join(forecast_lines(config.judge))
    assert f"{day.likely.tokens:,}" in text
    assert f"{day.likely.micros / 1e6:,.2f}" in text
    assert "at 1,000,000 traces a day" in text
    assert "the budget is 10.00 dollars a day (enough for 0% of it)" in text
    assert "tokens a day" not in text.rpartition("the budget")[2]


def test_a_judge_that_is_off_costs_nothing():
    assert list(forecast_lines(load(None).judge)) == []
    assert forecast(load(None).judge)[0].likely.micros == Cost().micros


@pytest.mark.parametrize(
    ("budget", "day", "hour"),
    [
        ("{}", Cap(tokens=5_000_000), Cap()),
        ("{day: {dollars: 10}}", Cap(micros=10_000_000), Cap()),
        ("{day: {tokens: 7}}", Cap(tokens=7), Cap()),
        ("{day: {tokens: 7, dollars: 1}}", Cap(tokens=7, micros=1_000_000), Cap()),
        ("{hour: {dollars: 1}}", Cap(tokens=5_000_000), Cap(micros=1_000_000)),
    ],
)
def test_a_limit_that_is_set_replaces_the_default_of_its_span(judge, tmp_path, budget, day, hour):
    config = judge(f"  budget: {budget}\n")
    assert (config.judge.caps.day, config.judge.caps.hour) == (day, hour)
    (tmp_path / "written.yaml").write_text(to_yaml(config))
    again = load(tmp_path / "written.yaml")
    assert again.judge.caps == config.judge.caps
