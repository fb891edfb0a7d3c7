"""A JUnit XML report, as pytest and most runners write it → Run. Every test is a case of one evaluator, "tests"."""

from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from .run import NotReadableError, RunTally, SuiteRun

EVALUATOR: Final = "tests"
_SUITES: Final = ("testsuites", "testsuite")


def is_ours(content: bytes) -> bool:
    """Whether it looks like XML."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def read(content: bytes) -> SuiteRun:
    """Read the report; a test that was skipped, or broke off with an error, has no verdict. Raises NotReadableError."""
    root = _parsed(content)
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    tally = RunTally()
    for case in root.iter("testcase"):
        if case.find("skipped") is None and case.find("error") is None:
            tally.add(EVALUATOR, "junit", passed=case.find("failure") is None, score=None)
    ends = [end for end in map(_end, suites) if end is not None]
    name = root.get("name") or (suites[0].get("name") if suites else None) or ""
    return SuiteRun(tool="junit", counted=tally.counted(), suite=name, ended_at=max(ends, default=None))


def _parsed(content: bytes) -> Element:
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise NotReadableError("the XML declares a document type or entities, which a JUnit report has no need of")
    try:
        root = fromstring(content)  # noqa: S314 - no entities can be declared, see above
    except ParseError as error:
        raise NotReadableError(f"not well-formed XML, line {error.position[0]}") from None
    if root.tag not in _SUITES:
        raise NotReadableError(f"<{root.tag[:40]}>: not a JUnit report, which begins with <testsuites> or <testsuite>")
    return root


def _end(suite: Element) -> float | None:
    """When a suite ended; a time without a zone is taken as UTC."""
    try:
        began = datetime.fromisoformat(suite.get("timestamp", ""))
        seconds = float(suite.get("time", "0"))
    except ValueError:
        return None
    return (began if began.tzinfo else began.replace(tzinfo=UTC)).timestamp() + seconds
