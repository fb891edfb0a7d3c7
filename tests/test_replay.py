import gzip
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from exporter.config import load
from exporter.config.settings import RequestLimits
from exporter.offline.replay import CaptureError, Replay

CAPTURES = Path(__file__).parent / "captures" / "requests"


def replayed(*names, config=None):
    replay = Replay(config or load())
    for name in names:
        replay.add(name if isinstance(name, Path) else CAPTURES / name)
    return replay, list(replay.traces())


def test_logs_are_joined_to_their_spans_in_any_order_of_files():
    spans, logs = "otel-genai1.3-event-only.simple.traces.pb", "otel-genai1.3-event-only.simple.logs.pb"
    alone = replayed(spans)[1]
    assert [trace.answer for trace in alone] == [None]
    both = replayed(spans, logs)[1]
    assert [trace.answer for trace in both] == ["The capital of France is Paris."]
    assert replayed(logs, spans)[1] == both


def test_a_trace_in_several_files_is_one_trace():
    parts = sorted(path.name for path in CAPTURES.glob("otel-genai-util1.3.split_batches.traces*.pb"))
    assert len(parts) > 1
    assert len(replayed(*parts)[1]) == 1


def test_a_file_given_twice_changes_nothing():
    name = "openinference-openai.rag.traces.pb"
    assert replayed(name, name)[1] == replayed(name)[1]


def test_protobuf_and_json_say_the_same():
    for name in ("openinference-openai.rag.traces", "traceloop-sdk062.rag.traces", "strands.simple.traces"):
        from_protobuf = replayed(f"{name}.pb")[1]
        assert from_protobuf
        assert from_protobuf == replayed(f"{name}.json")[1]


def test_a_compressed_file_says_the_same(tmp_path):
    name = "openinference-openai.rag.traces.pb"
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((CAPTURES / name).read_bytes()))
    assert replayed(packed)[1] == replayed(name)[1]


def test_the_kind_is_in_the_name_wherever_it_stands(tmp_path):
    renamed = tmp_path / "a.simple.logs.2.pb"
    shutil.copy(CAPTURES / "otel-genai1.3-event-only.simple.logs.pb", renamed)
    assert [trace.answer for trace in replayed("otel-genai1.3-event-only.simple.traces.pb", renamed)[1]] == [
        "The capital of France is Paris."
    ]


def test_the_plain_door_can_be_replayed_too(tmp_path):
    path = tmp_path / "asked.interactions.json"
    path.write_text('{"question": "Why?", "answer": "Because."}')
    assert [(trace.question, trace.answer) for trace in replayed(path)[1]] == [("Why?", "Because.")]


def test_traces_without_an_llm_request_are_counted():
    replay, traces = replayed("openinference-openai.embeddings.traces.pb")
    assert (traces, replay.empty) == ([], 1)


def test_what_the_limits_refuse_is_counted():
    config = replace(load(), limits=RequestLimits(attributes_per_span=16))
    replay, _ = replayed("openinference-openai.rag.traces.pb", config=config)
    assert replay.rejected["too_many_attributes"] > 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "is not a capture: its name must end in .pb or .json (and .gz if compressed)"),
        ("a", b"", "is not a capture: its name must end in .pb or .json (and .gz if compressed)"),
        ("a.gz", b"", "is not a capture: its name must end in .pb or .json (and .gz if compressed)"),
        ("a.pb.gz", b"plain text, not packed", "the body is not valid gzip data"),
        ("missing.pb", None, "cannot be read: there is no such file"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CaptureError) as error:
        replayed(path)
    assert str(error.value) == f"{path}: {message}"


@pytest.mark.parametrize("name", ["a.json", "a.pb", "a.logs.json", "a.logs.pb"])
def test_garbage_is_an_error_that_does_not_quote_it(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\xf7planted")
    with pytest.raises(CaptureError) as error:
        replayed(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "planted" not in str(error.value)


def test_a_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.pb.gz"
    path.write_bytes(gzip.compress(bytes(4 << 20)))
    config = replace(load(), limits=RequestLimits(decompressed_bytes=1 << 20))
    with pytest.raises(CaptureError, match=str(1 << 20)):
        replayed(path, config=config)
