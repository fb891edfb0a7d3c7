"""What can be wrong with a schema."""

from typing import Any

Where = tuple[Any, str, str] | None
"""A place in a schema: the place of the schema around it, a keyword, and a name in that ("" for none)."""

_MOST = 20
_LONGEST = 80


class SchemaError(ValueError):
    """A schema that cannot be used; the message says where in it (a JSON pointer) and why."""

    def __init__(self, message: str, where: Where = None) -> None:
        self.message = message
        self.steps = 0
        """What it took to find out."""
        super().__init__(f"at {_pointer(where)}: {message}" if where else message)


def _pointer(where: Where) -> str:
    """The place as text, without its beginning where it is deep."""
    parts: list[str] = []
    while where is not None and len(parts) < _MOST:
        where, keyword, name = where
        parts += [part[:_LONGEST] for part in (name, keyword) if part]
    return ("..." if where else "") + "/" + "/".join(reversed(parts))
