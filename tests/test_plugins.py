"""Plugins: evaluators of other distributions, found by their entry points, without importing us."""

import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

from exporter.evaluators import built_in

MODULE = '''
"""Says whether an answer is polite."""

__all__ = ["polite"]


def polite(trace, *, words: tuple[str, ...] = ("please", "thank"), least: int = 1) -> float:
    """The answer uses polite words."""
    found = sum(word in (trace.answer or "").lower() for word in words)
    return min(1.0, found / least)
'''

PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

# A build backend of its own: a real `pip install` that needs neither setuptools nor a network.
BACKEND = """
import zipfile

FILES = {
    "llmq_polite.py": open("llmq_polite.py").read(),
    "llmq_polite-2.5.dist-info/METADATA": "Metadata-Version: 2.1\\nName: llmq-polite\\nVersion: 2.5\\n",
    "llmq_polite-2.5.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "llmq_polite-2.5.dist-info/entry_points.txt": "[llmq.evaluators]\\n" + "\\n".join((
        "polite = llmq_polite:polite", "refusal = llmq_polite:polite", "missing = llmq_polite:nothing")),
}


def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "llmq_polite-2.5-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        for path, text in FILES.items():
            wheel.writestr(path, text)
        wheel.writestr("llmq_polite-2.5.dist-info/RECORD", "".join(f"{path},,\\n" for path in FILES))
    return name
"""

PROBE = """
from exporter.evaluators import installed
from exporter.evaluators.panel import EvaluatorRule, EvaluatorSpec, Panel
from exporter.model.trace import Trace

registry = installed()
print(*registry.problems, sep="\\n")
trace = Trace(trace_id="t", content_state="answered", answer="Thank you, please come again.")
assert "polite" not in Panel({}, registry).names
spec = EvaluatorSpec(name="polite", rules=(EvaluatorRule(options={"least": 4}),))
said = [one for one in Panel({"polite": spec}, registry).evaluate(trace).evaluations if one.evaluator == "polite"]
print(said[0].evaluator_version, said[0].score, said[0].verdict)
print(registry.listing()[-1])
"""


def test_an_installed_plugin_scores_and_what_does_not_load_is_told(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "llmq_polite.py").write_text(MODULE)
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "backend.py").write_text(BACKEND)
    install = ["-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index"]
    subprocess.run([sys.executable, *install, "--target", target, source], check=True, capture_output=True)
    environment = os.environ | {"PYTHONPATH": str(target)}
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].startswith("llmq-polite 2.5: cannot load 'missing': AttributeError")
    assert lines[1] == "llmq-polite 2.5: an evaluator named 'refusal' exists already"
    assert re.fullmatch(r"2\.5\+[0-9a-f]{6} 0\.5 pass", lines[2])  # its options are not the defaults
    assert "source='llmq-polite 2.5'" in lines[3]
    assert "('words', 'list of str', '[please, thank]'), ('least', 'int', '1')" in lines[3]


def point(name, value):
    return EntryPoint(name=name, value=value, group="llmq.evaluators")


def test_what_cannot_be_an_evaluator_is_a_problem_and_no_crash():
    points = [point("version", "exporter:__version__"), point("gone", "no_such_module:x"), point("two", "operator:add")]
    registry = built_in().with_plugins(points)
    assert registry.evaluators.keys() == built_in().evaluators.keys()
    assert [problem.split(": ", 1)[1] for problem in registry.problems] == [
        "cannot load 'gone': ModuleNotFoundError: No module named 'no_such_module'",
        "cannot load 'two': TypeError: takes other than one trace and keyword-only options",
        "cannot load 'version': TypeError: str is not a function",
    ]


def test_a_plugin_may_name_its_own_version(tmp_path, monkeypatch):
    (tmp_path / "versioned_plugin.py").write_text("def own(trace):\n    return True\n\n\nown.__version__ = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = built_in().with_plugins([point("own", "versioned_plugin:own")])
    assert registry.evaluators["own"].version == "3"


def test_an_async_plugin_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "async_plugin.py").write_text("async def own(trace):\n    return True\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = built_in().with_plugins([point("own", "async_plugin:own")])
    assert "is async" in registry.problems[0]
