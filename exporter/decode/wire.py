"""Protobuf messages with the wire form of OTLP that are cheap to read; knows field numbers, not what fields mean.

A list of KeyValue has the wire form of map<string, AnyValue>, so here attributes are maps and upb does the look-ups.
The lenient twin keeps text as bytes and attributes as lists, for bodies whose text is not UTF-8.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "double": _Field.TYPE_DOUBLE,
    "fixed64": _Field.TYPE_FIXED64,
    "fixed32": _Field.TYPE_FIXED32,
}

_MESSAGES = {
    "AnyValue": "string string_value 1|bool bool_value 2|int64 int_value 3|double double_value 4"
    "|ArrayValue array_value 5|KeyValueList kvlist_value 6|bytes bytes_value 7",
    "ArrayValue": "AnyValue* values 1",
    "KeyValueList": "map values 1",
    "Resource": "map attributes 1",
    "Scope": "string name 1",
    "Status": "string message 2|int32 code 3",
    "Event": "fixed64 time_unix_nano 1|string name 2|map attributes 3",
    "Span": "bytes trace_id 1|bytes span_id 2|bytes parent_span_id 4|string name 5|int32 kind 6"
    "|fixed64 start_time_unix_nano 7|fixed64 end_time_unix_nano 8|map attributes 9|Event* events 11|Status status 15"
    "|fixed32 flags 16",
    "ScopeSpans": "Scope scope 1|Span* spans 2",
    "ResourceSpans": "Resource resource 1|ScopeSpans* scope_spans 2",
    "TracesRequest": "ResourceSpans* resource_spans 1",
    "LogRecord": "fixed64 time_unix_nano 1|AnyValue body 5|map attributes 6|bytes trace_id 9|bytes span_id 10"
    "|fixed64 observed_time_unix_nano 11|string event_name 12",
    "ScopeLogs": "Scope scope 1|LogRecord* log_records 2",
    "ResourceLogs": "Resource resource 1|ScopeLogs* scope_logs 2",
    "LogsRequest": "ResourceLogs* resource_logs 1",
    "PartialSuccess": "int64 rejected 1|string error_message 2",
    "Response": "PartialSuccess partial_success 1",
    "RpcStatus": "int32 code 1|string message 2|Any* details 3",
    "Any": "string type_url 1|bytes value 2",
    "RetryInfo": "Duration retry_delay 1",
    "Duration": "int64 seconds 1|int32 nanos 2",
}


class OtlpMessages:
    """The messages of OTLP: with maps and text, or (lenient) with lists and raw bytes."""

    def __init__(self, package: str, *, lenient: bool = False) -> None:
        self._package = package
        self._lenient = lenient
        file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
        self._add(file, "KeyValue", "string key 1|AnyValue value 2")
        for name, fields in _MESSAGES.items():
            self._add(file, name, fields)
        self._pool = descriptor_pool.DescriptorPool()
        self._pool.AddSerializedFile(file.SerializeToString())

    def message(self, name: str) -> Any:
        """Return the class of a message."""
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(f"{self._package}.{name}"))

    def _add(self, file: descriptor_pb2.FileDescriptorProto, name: str, fields: str) -> None:
        message = file.message_type.add(name=name)
        if name == "AnyValue":
            message.oneof_decl.add(name="value")
        for text in fields.split("|"):
            kind, field_name, number = text.split()
            field = message.field.add(name=field_name, number=int(number))
            self._set_type(message, field, kind)
            if name == "AnyValue":
                field.oneof_index = 0

    def _set_type(self, message: descriptor_pb2.DescriptorProto, field: _Field, kind: str) -> None:
        repeated = kind == "map" or kind.endswith("*")
        field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
        kind = kind.rstrip("*")
        if kind in _SCALARS:
            text_as_bytes = kind == "string" and self._lenient
            field.type = _Field.TYPE_BYTES if text_as_bytes else _SCALARS[kind]
            return
        field.type = _Field.TYPE_MESSAGE
        field.type_name = self._entry(message, field) if kind == "map" else f".{self._package}.{kind}"

    def _entry(self, message: descriptor_pb2.DescriptorProto, field: _Field) -> str:
        if self._lenient:
            return f".{self._package}.KeyValue"
        name = f"{field.name.title()}Entry"
        entry = message.nested_type.add(name=name)
        entry.options.map_entry = True
        for text in ("string key 1", "AnyValue value 2"):
            kind, field_name, number = text.split()
            self._set_type(entry, entry.field.add(name=field_name, number=int(number)), kind)
        return f".{self._package}.{message.name}.{name}"


STRICT = OtlpMessages("llmq.otlp")
LENIENT = OtlpMessages("llmq.otlp.lenient", lenient=True)
