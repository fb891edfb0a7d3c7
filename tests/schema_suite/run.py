"""Runs the JSON-Schema-Test-Suite against llmq's validator; `make schema-suite` prints a table and fails on any change.

The suite comes with the source archive of the package ``jsonschema``, whose hash is locked, and is not kept here. The
schemas are read as those of traces are: in the draft that they name, else in the likeliest one. Cases that are not
decided as the suite says are listed in gaps.yaml, by draft and file, with the reason; each must be right or listed.
"""

import io
import json
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import yaml

from exporter.evaluators.schema import BudgetError, SchemaError, ValidationRun, compiled

DRAFTS = ("draft4", "draft6", "draft7", "draft2019-09", "draft2020-12")
GAPS = Path(__file__).with_name("gaps.yaml")


def cases(archive: bytes) -> Iterator[tuple[str, str, str, object, object, bool]]:
    """(draft, file, name, schema, instance, valid) of every required case."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            parts = Path(member.name).parts
            if "tests" not in parts or not member.name.endswith(".json"):
                continue
            draft, *rest = parts[parts.index("tests") + 1 :]
            if draft not in DRAFTS or len(rest) != 1:  # a folder below is of what is optional
                continue
            for group in json.load(tar.extractfile(member)):
                for test in group["tests"]:
                    name = f"{group['description']}: {test['description']}"
                    yield draft, rest[0], name, group["schema"], test["data"], test["valid"]


def verdict(schema: object, instance: object) -> bool | str:
    """Whether the instance keeps the schema, or why nobody can say."""
    try:
        return compiled(schema).problem(instance, ValidationRun()) is None
    except SchemaError as error:
        return f"not usable: {error}"
    except BudgetError:
        return "over budget"


def main(path: str) -> int:
    """Print the table; 1 where a case is neither right nor listed, or is both."""
    listed = yaml.safe_load(GAPS.read_text("utf-8")) or {}
    gaps = {(draft, file, name) for draft, files in listed.items() for file, names in files.items() for name in names}
    right, wrong, undecided, missed = Counter(), Counter(), Counter(), set()
    for draft, file, name, schema, instance, valid in cases(Path(path).read_bytes()):
        said = verdict(schema, instance)
        if said is valid:
            right[draft] += 1
            continue
        (undecided if isinstance(said, str) else wrong)[draft] += 1
        missed.add((draft, file, name))
    sys.stdout.write(f"{'draft':14}{'right':>8}{'not usable':>12}{'wrong':>8}\n")
    for draft in DRAFTS:
        sys.stdout.write(f"{draft:14}{right[draft]:8}{undecided[draft]:12}{wrong[draft]:8}\n")
    for draft, file, name in sorted(missed - gaps):
        sys.stdout.write(f"not listed in gaps.yaml: {draft}/{file}: {name}\n")
    for draft, file, name in sorted(gaps - missed):
        sys.stdout.write(f"listed in gaps.yaml, and right: {draft}/{file}: {name}\n")
    return int(missed != gaps or not right)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
