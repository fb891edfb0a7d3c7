"""What the process prints: nothing that libraries quote, and few lines of each kind, with a count of the others."""

import io
import logging

import pytest

from exporter.runtime.log import BURST, EVERY, Log, RateLimit, described

MARK = "planted-4711"


@pytest.fixture
def printed(clock):
    """A log on a clock of the test's, and what it prints."""
    stream = io.StringIO()
    log = Log(stream, RateLimit(clock))
    yield log, stream.getvalue
    log.close()


def record(name="exporter.http.requests", line=1, message="refused: reason=%s", arguments=("x",), error=None):
    found = (type(error), error, error.__traceback__) if error is not None else None
    return logging.LogRecord(name, logging.ERROR, "/somewhere/module.py", line, message, arguments, found)


def raised(kind, *arguments):
    def fail():
        raise kind(*arguments)

    try:
        fail()
    except kind as error:
        return error


def test_a_line_of_ours_is_printed_as_it_is(printed):
    log, said = printed
    log.handle(record())
    assert said().endswith("ERROR refused: reason=x\n")


def test_a_line_of_a_library_is_printed_without_its_words(printed):
    log, said = printed
    log.handle(record("aiohttp.server", message=f"Error handling {MARK}", arguments=()))
    log.handle(record("asyncio", 2, "Task of %r", (MARK,), raised(ValueError, MARK)))
    assert MARK not in said()
    assert "aiohttp.server: from=module.py:1" in said()
    assert "asyncio: from=module.py:2 error=ValueError at=test_log.py:" in said()


def test_no_error_is_printed_with_its_message(printed):
    log, said = printed
    log.handle(record(error=raised(KeyError, MARK)))
    assert "refused: reason=x error=KeyError at=test_log.py:" in said()
    assert MARK not in said()
    assert "Traceback" not in said()


def test_of_a_group_of_errors_the_first_is_named():
    group = ExceptionGroup(MARK, [raised(KeyError, MARK)])
    assert described(group).startswith("KeyError at=test_log.py:")


def test_many_lines_of_a_kind_become_few_and_a_count(printed, clock):
    log, said = printed
    for number in range(1000):
        log.handle(record(arguments=(number,)))
    assert said().count("\n") == BURST
    log.handle(record(line=2))
    assert said().count("\n") == BURST + 1, "another kind has a limit of its own"
    log.summarise()
    assert f"left out: lines={1000 - BURST} like those from=module.py:1\n" in said()
    log.summarise()
    assert said().count("left out") == 1
    clock.move(EVERY)
    for number in range(10):
        log.handle(record(arguments=(number,)))
    log.summarise()
    assert said().count("refused") == BURST + 2
    assert "left out: lines=9 like" in said()
