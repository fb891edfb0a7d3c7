"""What was read or scored wrongly once is right now."""

from pathlib import Path

import pytest
import yaml

from exporter.config.settings import Config, Price
from exporter.evaluators import installed
from exporter.evaluators.panel import Panel
from exporter.offline.replay import Replay
from exporter.recording.prices import Prices

FAULTS = Path(__file__).parent / "faults"
EXPECTED = yaml.safe_load((FAULTS / "expected.yaml").read_text())
VERDICTS = {"passes": {"pass"}, "fails": {"fail"}, "does_not_fail": {"pass", None}, "silent": {None}}
PANEL = Panel({}, installed())
PRICES = Prices([Price(**price) for price in EXPECTED["prices"]])


def traces(names):
    replay = Replay(Config())
    for name in names.split():
        replay.add(FAULTS / f"{name}.json")
    return list(replay.traces())


def told(trace, field):
    if field == "tools":
        return [call.name for call in trace.tool_calls]
    if field == "tokens":
        return [trace.input_tokens, trace.output_tokens]
    if field == "context":
        return [item.text for item in trace.context]
    if field == "cost":
        return pytest.approx(PRICES.cost(trace), abs=5e-5)
    return getattr(trace, field)


@pytest.mark.parametrize("names", EXPECTED["inputs"])
def test_an_input_has_its_right_values(names):
    found = traces(names)
    expected = EXPECTED["inputs"][names]
    assert len(found) == len(expected)
    for trace, values in zip(found, expected, strict=True):
        verdicts = {one.evaluator: one.verdict for one in PANEL.evaluate(trace).evaluations}
        for field, value in values.items():
            if field in VERDICTS:
                assert {name: verdicts.get(name) for name in value if verdicts.get(name) not in VERDICTS[field]} == {}
            else:
                assert told(trace, field) == value, field


def test_every_input_has_a_right_value():
    named = {name for names in EXPECTED["inputs"] for name in names.split()}
    assert {path.stem for path in FAULTS.glob("*.json")} == named
