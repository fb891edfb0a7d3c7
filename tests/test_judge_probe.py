"""llmq judge probe, llmq check --live and llmq calibrate show who replies as the judge, and what to mend."""

import asyncio
import json
import os
import sys

from exporter.demo.judge_stub import Behaviour


async def run_command(*arguments):
    """Exit code, output and errors of a command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "exporter", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode, out.decode(), err.decode()


async def test_a_judge_that_replies_under_another_name_is_stopped_and_named(stub, tmp_path):
    stub.behaviour = Behaviour(replies_as="judge-1-2026-08-06")
    lines = [
        {"id": str(n), "evaluator": "helpfulness", "question": "Q", "answer": "A", "human": "pass"} for n in range(50)
    ]
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_text("\n".join(map(json.dumps, lines)))
    config = tmp_path / "llmq.yaml"
    config.write_text(f"judge: {{endpoint: '{stub.url}', model: judge-1, anchors: {{file: {anchors}}}}}\n")
    code, out, _ = await run_command("calibrate", "--config", str(config))
    assert code == 1
    assert 'stopped: the reply names the model "judge-1-2026-08-06", and "judge-1" is pinned: name the model' in out
    assert 'the model replies as "judge-1-2026-08-06"' in out
    assert len(stub.requests) < 10


async def test_check_live_and_probe_show_what_the_judge_replies(stub, tmp_path):
    config = tmp_path / "llmq.yaml"
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    config.write_text(
        f"prices: {{judge-1: {{input: 1, output: 2}}}}\n"
        f"judge: {{enabled: true, endpoint: '{stub.url}', model: judge-1, budget: {{ledger: '{ledger}'}}}}\n"
    )
    code, out, _ = await run_command("check", "--live", str(config))
    assert code == 0, out
    assert 'judge: judge-1 replies as "judge-1", fingerprint fp_1: a verdict for ' in out
    stub.behaviour = Behaviour(replies_as="judge-1-2026-08-06", rejects=("seed",))
    code, _, err = await run_command("check", "--live", str(config))
    assert code == 1
    assert 'judge-1 replies as "judge-1-2026-08-06": the reply names the model' in err
    code, out, _ = await run_command("judge", "probe", "--config", str(config))
    assert code == 1
    bill = stub.bills[-1]
    assert f"POST {stub.url}/chat/completions" in out
    assert '"max_tokens": 1000' in out
    assert "refused by the endpoint and left out: seed" in out
    assert "model: judge-1-2026-08-06 (asked for: judge-1)" in out
    assert "fingerprint: fp_1" in out
    assert f"tokens: {bill.input:,} in, {bill.output:,} out, 0.00" in out
    assert "cure: name the model that replies in judge.model" in out
    stub.behaviour = Behaviour()
    code, out, _ = await run_command("judge", "probe", "--config", str(config), "--evaluator", "faithfulness", "--json")
    assert code == 0
    assert json.loads(out)["replied"] == "judge-1"
