"""Load what ``llmq review export`` wrote in the tools that it is for: python check_exports.py FOLDER."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from inspect_ai.dataset import json_dataset
from openai.types.evals.create_eval_jsonl_run_data_source import SourceFileContentContent


def check_inspect(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    samples = list(json_dataset(str(path)))
    assert rows, path
    assert [(one.id, one.input, one.target) for one in samples] == [
        (row["id"], row["input"], row["target"]) for row in rows
    ]
    assert [one.metadata for one in samples] == [row["metadata"] for row in rows]
    return len(samples)


def check_openai(path):
    """Each row must be what the client's own types say of the content of an eval's file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        read = SourceFileContentContent.model_validate(row, strict=True)
        assert read.item == row["item"]
        assert not read.model_extra
    return len(rows)


def check_promptfoo(path, expected):
    """Every variable must come out of a prompt as the text that was reviewed, whatever is in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "echo.js").write_text(
            "module.exports = class { id() { return 'echo'; } async callApi(prompt) { return { output: prompt }; } };"
        )
        config = {"prompts": ["{{question}}"], "providers": ["file://echo.js"], "tests": f"file://{path.resolve()}"}
        (folder / "promptfooconfig.json").write_text(json.dumps(config))
        command = ["promptfoo", "eval", "-c", "promptfooconfig.json", "--no-cache", "--no-table", "-o", "out.json"]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
        assert (folder / "out.json").exists(), done.stdout + done.stderr
        results = json.loads((folder / "out.json").read_text(encoding="utf-8"))["results"]["results"]
    outputs = [one["response"]["output"] for one in results]
    assert outputs == expected, outputs
    return len(outputs)


def main():
    folder = Path(sys.argv[1])
    (samples,) = folder.rglob("i.jsonl")
    (tests,) = folder.rglob("p.yaml")
    questions = [json.loads(line)["input"] for line in samples.read_text(encoding="utf-8").splitlines()]
    (items,) = folder.rglob("o.jsonl")
    found = {
        "inspect": check_inspect(samples),
        "openai": check_openai(items),
        "promptfoo": check_promptfoo(tests, questions),
    }
    sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    main()
