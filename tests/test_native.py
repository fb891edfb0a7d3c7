"""Kernels in C or in Python: which run is said everywhere, and the results are the same."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from exporter import __version__

ROOT = Path(__file__).parent.parent
CAPTURE = ROOT / "tests/captures/requests/openinference-openai.rag.traces.pb"
SAYS = {"c": "kernels in C", "python": "kernels in Python: the same results, slower"}
BOTH = pytest.mark.parametrize("kernels", [pytest.param("c", marks=pytest.mark.compiled), "python"])


def environment(kernels):
    return os.environ | {"LLMQ_NO_EXTENSIONS": "" if kernels == "c" else "1"}


def run(*command, **options):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True, **options).stdout


def llmq(kernels, *arguments):
    return run(sys.executable, "-m", "exporter", *arguments, env=environment(kernels))


@BOTH
def test_the_version_says_which_kernels_are_used(kernels):
    assert llmq(kernels, "--version") == f"llmq {__version__}, {SAYS[kernels]}\n"


@BOTH
def test_a_running_exporter_says_which_kernels_it_uses(kernels, tmp_path):
    command = [
        sys.executable,
        "-m",
        "exporter",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--store",
        f"sqlite:///{tmp_path}/s.db",
    ]
    with subprocess.Popen(command, env=environment(kernels), stderr=subprocess.PIPE, text=True) as process:
        started = next(line for line in process.stderr if "listening" in line)
        address = re.search(r"http://[\d.:]+", started)[0]
        metrics, status = (httpx.get(f"{address}{path}") for path in ("/metrics", "/api/status"))
        process.terminate()
        process.communicate()
    assert started.endswith(f"llmq {__version__}, {SAYS[kernels]}\n")
    [labels] = re.findall(r"^llmq_exporter_build_info\{(.*)\} 1\.0$", metrics.text, re.MULTILINE)
    assert sorted(labels.split(",")) == [f'kernels="{kernels}"', f'version="{__version__}"']
    assert (status.json()["version"], status.json()["kernels"]) == (__version__, SAYS[kernels])


@pytest.mark.compiled
def test_a_replay_says_the_same_with_either():
    assert llmq("c", "replay", "--json", CAPTURE) == llmq("python", "replay", "--json", CAPTURE)


@pytest.fixture(scope="module")
def installed_without_a_compiler(tmp_path_factory):
    """Where llmq is, installed from a copy of its sources with a compiler that fails."""
    copy, target = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("installed")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "exporter", copy / "exporter", ignore=shutil.ignore_patterns("*.so"))
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--target", target]
    run(*pip, copy, env=environment("c") | {"CC": "false"})
    return target


def test_an_install_without_a_compiler_works_and_says_so(installed_without_a_compiler):
    env = environment("c") | {"PYTHONPATH": str(installed_without_a_compiler)}
    there = {"env": env, "cwd": installed_without_a_compiler}
    assert run(sys.executable, "-m", "exporter", "--version", **there) == f"llmq {__version__}, {SAYS['python']}\n"
    assert '"grounding"' in run(sys.executable, "-m", "exporter", "replay", "--json", CAPTURE, **there)


@pytest.mark.parametrize("built", [True, False])
def test_make_says_when_kernels_were_not_built(tmp_path, built):
    """The real recipe, with a Python of which only the import of the kernels matters."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "exporter").mkdir()
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ncase "$*" in *_kernels*) exit {int(not built)};; esac\n')
    python.chmod(0o755)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    said = run("make", "--silent", ".venv/.installed", cwd=tmp_path)
    assert ("llmq is installed without its kernels in C" in said) is not built
    assert said.count("\n") == (0 if built else 1)
