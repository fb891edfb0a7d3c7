"""How a dialect's spans are recognised, and classified. Knows no dialect."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from ..model.trace import Span
from .node import Dialect, Role

Told = tuple[Dialect, Role]


class Teller(Struct, frozen=True):
    """Decides between dialects whose spans share names: by usual values of one attribute, or by a function."""

    otherwise: Callable[[Span, frozenset[str]], Told]
    mark: str = ""
    known: Mapping[str, Told] = {}


class Recognition(Struct, frozen=True, kw_only=True):
    """Recognises spans by one of the ``marks`` (attribute names); ``teller`` decides between dialects sharing them."""

    marks: frozenset[str]
    teller: Callable[[frozenset[str]], Teller]


def by_kind(mark: str, dialect: Dialect, roles: Mapping[str, Role]) -> Recognition:
    """A dialect that says in one attribute, on every span, what the span is."""
    known = {kind: (dialect, role) for kind, role in roles.items()}
    teller = Teller(lambda span, _names: (dialect, role_of(span.attributes[mark], roles)), mark, known)
    return Recognition(marks=frozenset({mark}), teller=lambda _names: teller)


def role_of(kind: Any, roles: Mapping[str, Role]) -> Role:
    """Return the role of a kind, which hand-written plug-ins write in any case; what is not known is ignored."""
    if type(kind) is not str:
        return "ignored"
    kind = kind.strip('"')
    return next((roles[one] for one in (kind, kind.upper(), kind.lower()) if one in roles), "ignored")
