"""What is released: an sdist that holds all it takes to build, a wheel of it that works alone, and the workflows."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
CAPTURE = ROOT / "tests/captures/requests/openinference-openai.rag.traces.pb"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SOURCES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "exporter").rglob("*.[ch]"))


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The sdist, and the wheel that is built from it, of a copy of the sources."""
    copy, dist = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    ignore = shutil.ignore_patterns("*.so", "__pycache__")
    for folder in ("exporter", "alerts/runbooks"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    run(UV, "build", "--offline", "--no-build-isolation", "--python", sys.executable, "--out-dir", dist, copy)
    [sdist], [wheel] = dist.glob("*.tar.gz"), dist.glob("*.whl")
    return sdist, wheel


def test_the_sdist_holds_what_a_build_needs(released):
    with tarfile.open(released[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {*SOURCES, "LICENSE", "README.md", "alerts/runbooks/Watchdog.md"} <= names
    assert [name for name in names if name.startswith("tests")] == []


@pytest.mark.compiled
def test_the_wheel_of_the_sdist_has_the_kernels_for_every_python(released):
    assert "-cp311-abi3-" in released[1].name
    with zipfile.ZipFile(released[1]) as wheel:
        names = wheel.namelist()
    assert "exporter/native/_kernels.abi3.so" in names
    assert [name for name in names if name.endswith((".c", ".h"))] == []
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "exporter").rglob("*.py")}
    assert files <= {*names}


def test_the_wheel_scores_a_trace_without_the_repository(released, tmp_path):
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", tmp_path, released[1])
    alone = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(tmp_path)}}
    assert str(tmp_path) in run(sys.executable, "-c", "import exporter; print(exporter.__file__)", **alone)
    said = run(sys.executable, "-m", "exporter", "replay", "--json", CAPTURE, **alone)
    assert said == run(sys.executable, "-m", "exporter", "replay", "--json", CAPTURE, cwd=ROOT)


def test_the_workflows_are_workflows():
    run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def jobs():
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield name, job, yaml.safe_dump(job)


def test_nothing_is_published_without_a_tag():
    publishing = [
        name for name, _, text in jobs() if "publish" in text or "docker push" in text or "release create" in text
    ]
    assert publishing == ["publish"]
    assert [name for name, job, _ in jobs() if "write" in job.get("permissions", {}).values()] == publishing
    [job] = [job for name, job, _ in jobs() if name == "publish"]
    assert job["if"] == "startsWith(github.ref, 'refs/tags/v')"
    assert set(job["needs"]) == {"sdist", "wheels", "image"}


def test_the_matrix_has_the_oldest_python_and_every_way_to_test():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    matrix = next(job for name, job, _ in jobs() if name == "test")["strategy"]["matrix"]["include"]
    assert project["requires-python"].removeprefix(">=") in {one["python"] for one in matrix if one["target"] == "test"}
    targets = set(re.findall(r"^(test[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    ran = {one["target"] for one in matrix} | {"test-pure" for _, _, text in jobs() if "make test-pure" in text}
    assert ran == targets
