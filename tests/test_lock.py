"""The locks: what `make` installs is pinned with hashes, comes from no stated place, and fits pyproject.toml."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD = PROJECT["build-system"]["requires"]
RUN = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
OWN = PROJECT["project"]["name"]
SDK = "tests/sdk/requirements-sdk.lock"
ASKED = {
    "requirements.lock": [*BUILD, *RUN, *EXTRAS["grpc"]],
    "requirements-demo.lock": [*BUILD, *RUN, *EXTRAS["grpc"], *EXTRAS["demo"]],
    "requirements-dev.lock": [*BUILD, *RUN, *EXTRAS["grpc"], *EXTRAS["demo"], *EXTRAS["dev"]],
    SDK: (ROOT / "tests/sdk/requirements-sdk.txt").read_text().splitlines(),
}
"""What each lock must hold, beside what that needs in turn."""
LOCKS = list(ASKED)


def entries(name):
    """(requirement, hashes) of each package in a lock."""
    text = re.sub(r"^#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        requirement, *hashes = line.split("--hash=")
        yield Requirement(requirement), [one.strip() for one in hashes]


def pinned(name):
    """Each package's versions in a lock: one, or one for each range of Pythons."""
    found = {}
    for requirement, _ in entries(name):
        [pin] = requirement.specifier
        assert pin.operator == "==", requirement
        found.setdefault(canonicalize_name(requirement.name), set()).add(pin.version)
    return found


def asked(name):
    return [one for one in map(Requirement, ASKED[name]) if one.name != OWN]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_one_version_and_its_hashes(name):
    assert len(pinned(name)) > 10
    for requirement, hashes in entries(name):
        assert hashes, requirement
        assert [one for one in hashes if not re.fullmatch(r"sha256:[0-9a-f]{64}", one)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_place_to_fetch_from(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert re.findall(r"^ *--(?!hash=)\S+|^-\S+", text, re.MULTILINE) == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_asked_for_in_a_version_that_is_asked_for(name):
    locked = pinned(name)
    wrong = [
        f"{one}: {name} has {locked.get(canonicalize_name(one.name), 'none')}, run `make lock UPGRADE=`"
        for one in asked(name)
        if not all(map(one.specifier.contains, locked.get(canonicalize_name(one.name), [""])))
    ]
    assert wrong == []


def test_the_locks_agree_with_each_other():
    run, demo, dev = map(pinned, ["requirements.lock", "requirements-demo.lock", "requirements-dev.lock"])
    assert run.items() <= demo.items() <= dev.items()


def test_every_range_has_a_lower_bound():
    assert [str(one) for one in asked("requirements-dev.lock") if not re.search(r">=", str(one.specifier))] == []


def test_of_a_package_before_its_first_stable_release_no_minor_release_is_admitted_untried():
    locked = pinned("requirements-dev.lock")
    admitted = []
    for one in asked("requirements-dev.lock"):
        newest = max(map(Version, locked[canonicalize_name(one.name)]))
        if newest.major == 0 and one.specifier.contains(f"0.{newest.minor + 1}"):
            admitted.append(str(one))
    assert admitted == []
