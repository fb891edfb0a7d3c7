"""A table as pandas writes it → rows: every ``orient`` of ``to_json``, and a list of rows as it is."""

from typing import Any

Row = dict[str, Any]


def rows(document: Any) -> list[Row] | None:
    """The rows, each with its columns by name; None where the document is no table."""
    if isinstance(document, list):
        return document if document and isinstance(document[0], dict) else None
    if not isinstance(document, dict):
        return None
    if "data" in document and ("columns" in document or "schema" in document):
        return _split(document)
    return _nested(document)


def _split(document: Row) -> list[Row] | None:
    """``orient="split"``, or "table", whose rows are objects."""
    names, data = document.get("columns"), document["data"]
    if not isinstance(data, list) or not data:
        return None
    if isinstance(data[0], dict):
        return data
    if not isinstance(names, list) or not all(isinstance(row, list) and len(row) == len(names) for row in data):
        return None
    return [dict(zip(map(str, names), row, strict=True)) for row in data]


def _nested(document: Row) -> list[Row] | None:
    """``orient="columns"``, the default, or "index": objects in an object, by column or by row."""
    inner = list(document.values())
    if not inner or not all(isinstance(one, dict) and one for one in inner):
        return None
    keys = list(inner[0])
    if any(list(one) != keys for one in inner):
        return None
    if all(key.isdigit() for key in keys) and not all(key.isdigit() for key in document):
        return [{name: column[key] for name, column in document.items()} for key in keys]
    return inner
