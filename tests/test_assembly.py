"""A trace is gathered from several requests, closed for a stated reason, and never counted twice."""

import pytest

from exporter.ingest.assembly import OVERHEAD, Assembler, AssemblyLimits
from exporter.ingest.late_spans import RecordedKeys, awaited
from exporter.model.trace import LogRecord, Span

LIMITS = AssemblyLimits(
    grace=2, idle=10, incomplete=40, max_age=200, max_traces=3, max_bytes=10_000, max_spans_per_trace=8
)
A, B = b"A" * 16, b"B" * 16


def span(trace_id=A, span_id=1, parent=0, *, name="chat", size=100, start=1, end=2, kind=1, remote=False, app="shop"):
    return Span(
        trace_id=trace_id,
        span_id=span_id.to_bytes(8, "big"),
        parent_span_id=parent.to_bytes(8, "big") if parent else b"",
        name=name,
        start=start,
        end=end,
        attributes={},
        events=(),
        status_code=0,
        status_message="",
        resource={"service.name": app},
        scope="",
        size=size,
        kind=kind,
        has_remote_parent=remote,
    )


def log(trace_id=A, key=1):
    return LogRecord(
        trace_id=trace_id, span_id=b"", key=key.to_bytes(8, "little"), event_name="", time=1, attributes={},
        body=None, resource={}, scope="", size=50,
    )  # fmt: skip


@pytest.fixture
def recorded():
    return {}


@pytest.fixture
def assembler(recorded):
    return Assembler(LIMITS, lambda ids: {i: recorded[i] for i in ids if i in recorded})


def closed(assembler, now):
    return [(trace.trace_id, trace.reason) for trace in assembler.due(now)]


def test_children_first_then_root_then_grace(assembler):
    assembler.add(1, [span(span_id=2, parent=1)], [], 0)
    assembler.add(2, [span(span_id=1)], [], 5)
    assert closed(assembler, 6.9) == []
    [trace] = assembler.due(7)
    assert (trace.reason, len(trace.spans), trace.seqs) == ("root", 2, [1, 2])
    assert len(assembler) == assembler.bytes == 0


def test_late_children_within_the_grace_do_not_extend_it(assembler):
    assembler.add(1, [span()], [], 0)
    assembler.add(2, [span(span_id=2, parent=1)], [], 1.9)
    [trace] = assembler.due(2)
    assert len(trace.spans) == 2


def test_logs_join_their_trace_before_and_after_the_spans(assembler):
    assembler.add(1, [], [log(key=1)], 0)
    assembler.add(2, [span()], [], 1)
    assembler.add(3, [], [log(key=2)], 2)
    [trace] = assembler.due(3)
    assert (len(trace.logs), len(trace.spans), trace.seqs) == (2, 1, [1, 2, 3])


def test_log_records_alone_wait_until_nothing_comes_for_a_while(assembler):
    assembler.add(1, [], [log()], 0)
    assembler.add(2, [], [log(key=2)], 8)
    assert closed(assembler, 17.9) == []
    assert closed(assembler, 18) == [(A, "idle")]


def test_a_trace_that_lacks_a_parent_waits_for_it_and_is_then_complete(assembler):
    assembler.add(1, [span(span_id=2, parent=1)], [], 0)
    assert closed(assembler, 39) == []
    assembler.add(2, [span(span_id=3, parent=1)], [], 39)
    assert closed(assembler, 78) == []
    assembler.add(3, [span()], [], 78)
    assert closed(assembler, 79.9) == []
    [trace] = assembler.due(80)
    assert (trace.reason, len(trace.spans)) == ("root", 3)


def test_a_parent_that_never_comes_is_waited_for_as_long_as_configured(assembler):
    assembler.add(1, [span(parent=9)], [], 0)
    assert closed(assembler, 39.9) == []
    assert closed(assembler, 40) == [(A, "incomplete")]


@pytest.mark.parametrize("how", [{"remote": True}, {"kind": 2}, {"kind": 5}])
def test_a_parent_in_another_process_may_be_sent_elsewhere_and_is_waited_for_only_a_while(assembler, how):
    assembler.add(1, [span(parent=9, **how), span(span_id=2, parent=1)], [], 0)
    assert closed(assembler, 9.9) == []
    assert closed(assembler, 10) == [(A, "idle")]


def test_an_ended_root_with_a_branch_that_still_goes_on_waits_a_while(assembler):
    assembler.add(1, [span(), span(span_id=3, parent=2)], [], 0)
    assert closed(assembler, 9.9) == []
    assert closed(assembler, 10) == [(A, "idle")]


def many(n):
    return n.to_bytes(16, "big")


def test_where_parents_never_come_nobody_waits_for_the_next_ones(recorded):
    limits = AssemblyLimits(grace=2, idle=10, incomplete=900, max_age=3600)
    assembler = Assembler(limits, lambda ids: {i: recorded[i] for i in ids if i in recorded})
    for n in range(1, 13):
        assembler.add(n, [span(trace_id=many(n), parent=9)], [], n / 100)
    assert closed(assembler, 59) == []
    assert {reason for _, reason in closed(assembler, 61)} == {"incomplete"}
    assembler.add(20, [span(trace_id=many(20), parent=9)], [], 70)
    assembler.add(21, [span(trace_id=many(21), parent=9, app="bank")], [], 70)
    assert closed(assembler, 80) == [(many(20), "idle")]

    # A parent that comes late says that they do come: it is waited for again.
    recorded[many(20)] = RecordedKeys((1).to_bytes(8, "big") + awaited((9).to_bytes(8, "big")))
    [late] = assembler.add(22, [span(trace_id=many(20), span_id=9)], [], 90).late
    assert [one.span_id for one in late.spans] == [(9).to_bytes(8, "big")]
    assembler.add(23, [span(trace_id=many(23), parent=9)], [], 100)
    assert (many(23), "idle") not in closed(assembler, 111)


def test_a_slow_agent_is_waited_for_though_some_traces_were_waited_for_in_vain(recorded):
    limits = AssemblyLimits(grace=2, idle=10, incomplete=900, max_age=3600)
    assembler = Assembler(limits, lambda _ids: {})
    for n in range(1, 9):
        assembler.add(n, [span(trace_id=many(n), parent=9)], [], 0)
    assert closed(assembler, 61) == []
    assembler.add(20, [span(trace_id=many(1), span_id=9)], [], 600)
    assert closed(assembler, 602) == [(many(1), "root")]
    for n in range(30, 39):
        assembler.add(n, [span(trace_id=many(n), parent=9)], [], 700)
    assert all(reason == "incomplete" for _, reason in closed(assembler, 900 + 1))
    assert len(assembler) == 9


def test_a_trace_that_never_ends_is_closed_by_age(assembler):
    for second in range(0, 200, 35):
        assembler.add(second, [span(span_id=2 + second, parent=1)], [], second)
        assert closed(assembler, second) == []
    assert closed(assembler, 200) == [(A, "age")]


def test_too_many_open_traces_close_those_that_wait_for_parents_first(assembler):
    for n in range(4):
        assembler.add(n, [span(trace_id=bytes([65 + n]) * 16, parent=0 if n == 0 else 9)], [], n / 10)
    assert closed(assembler, 1) == [(bytes([66 + n]) * 16, "pressure") for n in range(3)]


def test_too_many_bytes_close_traces_early(assembler):
    assembler.add(1, [span(size=6_000)], [], 0)
    assembler.add(2, [span(trace_id=B, size=6_000)], [], 0)
    assert closed(assembler, 0) == [(A, "pressure")]
    assert assembler.bytes == 6_000 + OVERHEAD


def test_a_retried_span_is_a_duplicate_and_the_first_one_stays(assembler):
    assembler.add(1, [span(name="first")], [log()], 0)
    added = assembler.add(2, [span(name="first"), span(name="second")], [log()], 1)
    assert added.duplicates == {("traces", "same"): 1, ("traces", "conflicting"): 1, ("logs", "same"): 1}
    assert not added.kept
    assert (added.spans, added.logs) == (0, 0)
    [trace] = assembler.due(2)
    assert [s.name for s in trace.spans.values()] == ["first"]
    assert trace.seqs == [1]


def test_a_span_twice_in_one_request_is_taken_once(assembler):
    added = assembler.add(1, [span(), span()], [], 0)
    assert (added.spans, added.duplicates) == (1, {("traces", "same"): 1})


def test_a_trace_takes_no_more_parts_than_its_limit(assembler):
    added = assembler.add(1, [span(span_id=n + 1, parent=99) for n in range(10)], [], 0)
    assert (added.spans, added.dropped) == (8, {("traces", "trace_full"): 2})


def test_spans_of_a_recorded_request_are_duplicates_or_late(assembler, recorded):
    recorded[A] = RecordedKeys((1).to_bytes(8, "big") + (2).to_bytes(8, "big"))
    added = assembler.add(1, [span(span_id=2), span(span_id=4, parent=3), span(span_id=3, parent=1)], [log()], 0)
    assert added.duplicates == {("traces", "same"): 1}
    assert [[one.span_id[-1] for one in late.spans] for late in added.late] == [[4, 3]]
    assert len(added.late[0].logs) == 1
    assert not added.kept
    assert len(assembler) == 0


def test_a_trace_id_that_goes_on_with_spans_of_their_own_is_another_request(assembler, recorded):
    recorded[A] = RecordedKeys((1).to_bytes(8, "big") + (2).to_bytes(8, "big"))
    added = assembler.add(1, [span(span_id=4, parent=3)], [], 0)
    assembler.add(2, [span(span_id=3)], [], 13)
    assert added.late == []
    [trace] = assembler.due(15)
    assert (trace.again, trace.reason, len(trace.spans)) == (True, "root", 2)


def test_a_parent_that_its_trace_was_closed_without_is_late_and_no_request(assembler, recorded):
    assembler.add(1, [span(span_id=2, parent=1)], [], 0)
    [trace] = assembler.due(40)
    recorded[A] = RecordedKeys(trace.keys())
    [late] = assembler.add(2, [span(), span(span_id=3, parent=1)], [], 50).late
    assert [one.span_id[-1] for one in late.spans] == [1, 3]


def test_a_trace_in_which_no_request_was_found_opens_again(assembler, recorded):
    recorded[A] = RecordedKeys((1).to_bytes(8, "big"), ignored=True)
    added = assembler.add(1, [span(span_id=1), span(span_id=3)], [], 0)
    assert (added.spans, added.late, added.duplicates) == (1, [], {("traces", "same"): 1})
    assert len(assembler) == 1


def test_a_key_is_found_only_where_it_is_aligned():
    keys = RecordedKeys(b"\x00" * 4 + b"\x01" * 8 + b"\x00" * 4)
    assert b"\x01" * 8 not in keys
    assert b"\x00" * 4 + b"\x01" * 4 in keys


@pytest.mark.parametrize("ignored", [False, True])
def test_a_recorded_trace_takes_no_more_parts_than_an_open_one(assembler, recorded, ignored):
    recorded[A] = RecordedKeys(b"".join(n.to_bytes(8, "big") for n in range(1, 7)), ignored=ignored)
    added = assembler.add(1, [span(span_id=n, parent=99) for n in range(6, 11)], [log(key=1 << 60)], 0)
    assert added.duplicates == {("traces", "same"): 1}
    assert added.dropped == {("traces", "trace_full"): 2, ("logs", "trace_full"): 1}
    assert added.spans + sum(len(late.spans) for late in added.late) == 2


def test_a_recorded_trace_that_is_full_is_not_opened_again(assembler, recorded):
    recorded[A] = RecordedKeys(b"".join(n.to_bytes(8, "big") for n in range(1, 9)), ignored=True)
    added = assembler.add(1, [span(span_id=99)], [], 0)
    assert added.dropped == {("traces", "trace_full"): 1}
    assert not added.kept
    assert len(assembler) == 0


def test_a_journal_entry_is_done_when_its_last_trace_is_recorded(assembler):
    assembler.add(1, [span(), span(trace_id=B)], [], 0)
    assembler.add(2, [span(span_id=2, parent=1)], [], 0)
    first, second = assembler.due(2)
    assert {first.trace_id, second.trace_id} == {A, B}
    by_id = {trace.trace_id: trace for trace in (first, second)}
    assert assembler.release([by_id[A]]) == [2]
    assert assembler.release([by_id[B]]) == [1]


def test_draining_closes_every_trace(assembler):
    assembler.add(1, [span(), span(trace_id=B, parent=7)], [], 0)
    assert {trace.reason for trace in assembler.drain()} == {"shutdown"}
    assert len(assembler) == 0
