"""Round the loop in the real tools: what people reviewed → export → the tool runs → its result file → llmq's reader.

    python tests/offline/close_loop.py

Needs inspect-ai beside llmq in the environment, and promptfoo on the path; no model and no network. An application that
still gives the answers which people failed must fail each tool's suite, a mended one must pass it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from exporter.offline import readers
from tests.test_review_export import HOSTILE, REFUSAL, case, made

MENDED = "You can just call us, and then ask for it."
CASES = (case(1), case(2, corrected=None), case(3, question=HOSTILE))
ECHO = "module.exports = class {{ id() {{ return 'app'; }} async callApi() {{ return {{ output: {answer} }}; }} }};"
TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import CORRECT, INCORRECT, Score, accuracy, scorer, stderr
from inspect_ai.solver import solver

from exporter.offline.expected import Wanted, judged


@scorer(metrics=[accuracy(), stderr()])
def expected():
    async def score(state, target):
        said = judged(state.output.completion, Wanted(target.text or None, state.metadata["rejected"] or None))
        return Score(value=CORRECT if said.verdict == "pass" else INCORRECT, explanation=said.explanation)

    return score


@solver
def answering(answer):
    async def solve(state, generate):
        state.output = ModelOutput.from_content("mockllm/model", answer)
        return state

    return solve


@task
def support(answer):
    return Task(dataset=json_dataset("suite.jsonl"), solver=answering(answer), scorer=expected())
"""


def run(folder, *command):
    """Run a tool to its end; promptfoo's exit code tells of failed tests, too."""
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


def with_promptfoo(folder, answer):
    """The counts that llmq reads from promptfoo's result file, by evaluator."""
    (folder / "app.js").write_text(ECHO.format(answer=json.dumps(answer)))
    (folder / "suite.yaml").write_bytes(made("promptfoo", *CASES))
    config = {"description": "support", "prompts": ["{{question}}"], "providers": ["file://app.js"]}
    (folder / "promptfooconfig.json").write_text(json.dumps(config | {"tests": "file://suite.yaml"}))
    said = run(folder, "promptfoo", "eval", "-c", "promptfooconfig.json", "--no-cache", "--no-table", "-o", "out.json")
    assert (folder / "out.json").exists(), said
    return counts((folder / "out.json").read_bytes())


def with_inspect(folder, answer):
    """The counts that llmq reads from Inspect's log, by evaluator."""
    (folder / "suite.jsonl").write_bytes(made("inspect", *CASES))
    (folder / "support.py").write_text(TASK)
    program = (
        "from inspect_ai import eval\n"
        "from support import support\n"
        f"task = support({answer!r})\n"
        "eval(task, model='mockllm/model', log_format='json', log_dir='logs', display='none')\n"
    )
    said = run(folder, sys.executable, "-c", program)
    logs = list((folder / "logs").glob("*.json")) if (folder / "logs").exists() else []
    assert logs, said
    return counts(logs[0].read_bytes())


def counts(content):
    return {one.evaluator: (one.passed, one.cases) for one in readers.read(content, pass_mark=0.5).counted}


def main():
    for tool in (with_promptfoo, with_inspect):
        for answer, is_mended in ((REFUSAL, False), (MENDED, True)):
            with tempfile.TemporaryDirectory() as name:
                found = tool(Path(name), answer)
            sys.stdout.write(f"{tool.__name__} {'mended' if is_mended else 'today'} {found}\n")
            assert found["expected"][0] == found["expected"][1] * is_mended, found


if __name__ == "__main__":
    main()
