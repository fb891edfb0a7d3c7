"""The C code: editing any of it builds it again."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXTENSIONS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["ext-modules"]
CODE = sorted(path for path in (ROOT / "exporter").rglob("*.[ch]"))


def included(path):
    """The headers of ours that a file includes, with those that they include."""
    headers = [path.parent / name for name in re.findall(r'^#include "(.+)"$', path.read_text(), re.MULTILINE)]
    return {*headers, *(one for header in headers for one in included(header))}


@pytest.mark.parametrize("extension", EXTENSIONS, ids=lambda extension: extension["name"])
def test_an_extension_depends_on_every_header_that_it_includes(extension):
    needed = {
        header.relative_to(ROOT).as_posix() for source in extension["sources"] for header in included(ROOT / source)
    }
    assert set(extension.get("depends", [])) == needed


def test_every_c_file_belongs_to_an_extension():
    built = {name for extension in EXTENSIONS for name in (*extension["sources"], *extension.get("depends", []))}
    assert {path.relative_to(ROOT).as_posix() for path in CODE} == built


@pytest.fixture
def is_up_to_date(tmp_path):
    """Would make leave an installation as it is, if one file had just been edited?"""
    (tmp_path / "bin").mkdir()
    for name in ("bin/python", ".installed", ".installed-demo", ".installed-dev"):
        (tmp_path / name).touch()

    def asked(stamp, *edited):
        command = [
            "make",
            "--question",
            f"VENV={tmp_path}",
            *(f"--what-if={path}" for path in edited),
            tmp_path / stamp,
        ]
        return subprocess.run(command, cwd=ROOT, check=False).returncode == 0

    return asked


@pytest.mark.parametrize("stamp", [".installed", ".installed-demo", ".installed-dev"])
def test_editing_a_c_file_a_lock_or_the_project_installs_again(is_up_to_date, stamp):
    lock = stamp.replace(".installed", "requirements") + ".lock"
    edited = [*(path.relative_to(ROOT) for path in CODE), "pyproject.toml", lock]
    assert is_up_to_date(stamp)
    assert [path for path in edited if is_up_to_date(stamp, path)] == []
