"""What is worked out for the names that a span carries holds for its kind, and never for another span's values."""

from exporter.model.trace import Span
from exporter.semconv import Sources, normalise
from exporter.semconv.shape import Met, shape_of

TRACE = bytes(range(16))


def trace(attributes, resource=None, sources=None):
    span = Span(TRACE, b"12345678", b"", "span", 1, 2, attributes, (), 0, "", resource or {}, "", 0)
    return normalise(TRACE, (span,), (), sources or Sources())


def flattened(question, answer, metadata):
    return {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": question,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": answer,
        "metadata": metadata,
    }


def test_spans_with_the_same_names_are_read_each_for_itself():
    one = trace(flattened("One?", "1", '{"user_id": "ann", "session_id": "s1"}'))
    two = trace(flattened("Two?", "2", '{"user_id": "bob"}'))
    assert (one.question, one.answer, one.user, one.conversation_id) == ("One?", "1", "ann", "s1")
    assert (two.question, two.answer, two.user, two.conversation_id) == ("Two?", "2", "bob", None)


def test_resources_with_the_same_names_are_read_each_for_itself():
    call, one, two = {"gen_ai.operation.name": "chat"}, {"service.name": "one"}, {"service.name": "two"}
    assert [trace(call, resource).app for resource in (one, one, two, one)] == ["one", "one", "two", "one"]


def test_other_sources_find_other_fields_in_the_same_span():
    call = {"gen_ai.operation.name": "chat", "a": "1", "b": "2"}
    resource = {"c": "3"}
    for _ in range(2):
        assert trace(call, resource, Sources(user=("a",), app=("c",))).user == "1"
        assert trace(call, resource, Sources(user=("b",), app=("c",))).user == "2"
        assert trace(call, resource, Sources(user=("c",))).user == "3"


def test_where_to_look_is_kept_for_few_sources():
    call = {"gen_ai.operation.name": "chat", "a": "1"}
    assert all(trace(call, sources=Sources(user=("a",))).user == "1" for _ in range(100))
    assert len(shape_of(call).plans) <= 16


def test_sets_of_names_that_nobody_repeats_are_not_kept_for_ever():
    made = Met(len)
    for number in range(2_000):
        assert made[frozenset({"a", str(number)})] == 2
    assert len(made) == 512
    assert frozenset({"a", "1999"}) in made
    assert frozenset({"a", "0"}) not in made


def test_names_too_long_to_keep_are_worked_out_again():
    made = Met(len)
    long = frozenset({"a" * 20_000})
    assert made[long] == 1
    assert long not in made


def test_a_list_flattened_under_names_that_contradict_each_other_is_read_as_far_as_it_goes():
    mixed = flattened("One?", "1", "") | {
        "llm.input_messages.0": "text",
        "llm.output_messages.1.message.content.x": "x",
        "llm.output_messages.1.message.content": "2",
        "llm.output_messages": "y",
    }
    assert (trace(mixed).question, trace(mixed).answer) == (None, "1")
