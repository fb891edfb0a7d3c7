"""Every request that a real instrumentation sent comes out as what its model really did."""

import importlib.util
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("captures_table", Path(__file__).parent / "captures" / "table.py")
table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(table)

CAPTURES = table.captures()


def test_all_685_requests_are_here_as_protobuf_and_as_json():
    files = [file for capture in CAPTURES for _, file in capture.parts]
    assert len(files) == len(set(files)) == 685
    assert all((table.HERE / "requests" / f"{file}.{form}").exists() for file in files for form in ("pb", "json"))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.name)
def test_a_capture_says_what_the_model_did(capture):
    assert [f"{found.field} {found.problem}" for found in table.findings(capture) if found.problem] == []


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.name)
def test_every_form_of_a_capture_gives_equal_traces(capture):
    first, *others = (table.traces(capture, form) for form in table.forms(capture))
    assert others
    assert all(other == first for other in others)


def test_nothing_is_listed_as_not_sent_that_is_sent_after_all():
    assert [f"{row.instrumentations} {row.scenarios}: {what}" for row, what in table.stale()] == []


def test_traces_of_embeddings_alone_are_no_llm_requests():
    embeddings = [capture for capture in CAPTURES if capture.scenario in ("embeddings", "embed")]
    assert len(embeddings) == 12
    assert all(table.traces(capture, "pb") == [] for capture in embeddings)


def test_the_table_has_a_line_for_every_capture():
    printed = list(table.lines())
    assert sum(line.startswith(capture.name + " ") for capture in CAPTURES for line in printed) == len(CAPTURES)
