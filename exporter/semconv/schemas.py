"""Schemas in the dialects of providers → JSON Schema: the one place that knows how they differ.

Read: JSON Schema in any draft (as it is), OpenAPI 3.0 and Gemini (types in capitals, ``nullable``), Anthropic's output
formats, Bedrock's ``toolSpec``, Ollama's ``format``, LangChain's and the AI SDK's wrappers.
"""

from typing import Any

from .embedded import bounded, inside, parsed

_TYPES = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"})
_SUBSCHEMAS = ("items", "additionalProperties", "not", "contains", "if", "then", "else", "propertyNames")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems", "any_of", "one_of", "all_of")
_MAPS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_GEMINI_NAMES = {
    "any_of": "anyOf",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "additional_properties": "additionalProperties",
}
_RESPONSE_FORMATS = (("", "response_format"), ("text", "format"), ("", "output_format"), ("output_config", "format"))
_GEMINI_CONFIGS = ("config", "generationConfig", "generation_config")
_GEMINI_SCHEMAS = ("response_schema", "responseSchema", "response_json_schema", "responseJsonSchema")
_GEMINI_REQUESTS = frozenset({*_GEMINI_SCHEMAS, "response_mime_type", "responseMimeType"})
_WRAPPERS = ("jsonSchema", "json_schema", "json", "schema")


def json_schema(value: Any) -> dict[str, Any] | None:
    """Return a provider's schema as JSON Schema; None where it is no object."""
    if value is None or type(value := bounded(parsed(value))) is not dict:
        return None
    for wrapper in _WRAPPERS:
        if type(inner := value.get(wrapper)) is dict and "type" not in value and "properties" not in value:
            return json_schema(inner)
    return _converted(value) if _is_foreign(value) else value


def _is_foreign(value: Any) -> bool:
    """Whether a schema, anywhere in it, is written as OpenAPI 3.0 or Gemini do."""
    if type(value) is list:
        return any(map(_is_foreign, value))
    if type(value) is not dict:
        return False
    kind = value.get("type")
    if (
        (type(kind) is str and kind in _TYPES)
        or value.get("nullable") is True
        or not _GEMINI_NAMES.keys().isdisjoint(value)
    ):
        return True
    return any(map(_is_foreign, value.values()))


def _converted(schema: Any) -> Any:
    if type(schema) is not dict:
        return schema
    names: dict[str, str] = _GEMINI_NAMES
    out = {names.get(name, name): value for name, value in schema.items() if name != "nullable"}
    kind = out.get("type")
    if type(kind) is str and kind in _TYPES:
        out["type"] = kind.lower()
    elif kind == "TYPE_UNSPECIFIED":
        del out["type"]
    for name in _SUBSCHEMAS:
        if name in out:
            out[name] = [*map(_converted, out[name])] if type(out[name]) is list else _converted(out[name])
    for name in _LISTS:
        if type(out.get(name)) is list:
            out[name] = [_converted(item) for item in out[name]]
    for name in _MAPS:
        if type(out.get(name)) is dict:
            out[name] = {key: _converted(item) for key, item in out[name].items()}
    return _nullable(out) if schema.get("nullable") is True else out


def _nullable(schema: dict[Any, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if type(kind) is str:
        wider = {**schema, "type": [kind, "null"]}
        if type(choices := schema.get("enum")) is list and None not in choices:
            wider["enum"] = [*choices, None]
        return wider
    return {"anyOf": [schema, {"type": "null"}]}


def requested(parameters: Any) -> tuple[bool, dict[str, Any] | None] | None:
    """Return whether JSON was requested and by which schema, of a provider's parameters; None where nothing says so."""
    if type(parameters) is not dict:
        return None
    for place, key in _RESPONSE_FORMATS:
        inner = parameters.get(place) if place else parameters
        if type(inner) is dict and inner.get(key) is not None:
            return response_format(inner[key])
    return _gemini(parameters) or _ollama(parameters.get("format"))


def _gemini(parameters: dict[str, Any]) -> tuple[bool, dict[str, Any] | None] | None:
    for config in (parameters, *(parameters.get(name) for name in _GEMINI_CONFIGS)):
        if type(config) is not dict or _GEMINI_REQUESTS.isdisjoint(config):
            continue
        schema = next((found for name in _GEMINI_SCHEMAS if (found := json_schema(config.get(name))) is not None), None)
        kind = config.get("response_mime_type") or config.get("responseMimeType")
        if schema is not None or kind == "application/json":
            return True, schema
    return None


def _ollama(asked: Any) -> tuple[bool, dict[str, Any] | None] | None:
    if asked == "json":
        return True, None
    schema = json_schema(asked) if type(asked) is dict else None
    return None if schema is None else (True, schema)


def response_format(asked: Any) -> tuple[bool, dict[str, Any] | None]:
    """Return the same of a response format: a name, ``{type, json_schema: {schema}}`` or ``{type, schema}``."""
    if type(asked) is not dict:
        return type(asked) is str and asked != "text" and bool(asked), None
    schema = json_schema(inside(asked, "json_schema.schema")) or json_schema(asked.get("schema"))
    return schema is not None or str(asked.get("type", "")).startswith("json"), schema


def tool(value: Any) -> tuple[str, dict[str, Any] | None] | None:
    """Return name and parameters of a tool definition in any provider's form; None where it has no name."""
    for wrapper in ("toolSpec", "function", "custom"):
        if type(value) is dict and type(value.get(wrapper)) is dict:
            value = value[wrapper]
    if type(value) is not dict or type(name := value.get("name")) is not str or not name:
        return None
    for key in ("parameters", "inputSchema", "input_schema", "parameters_json_schema", "parametersJsonSchema"):
        if value.get(key):
            return name, json_schema(value[key])
    return name, None
