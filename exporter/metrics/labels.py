"""Free text → bounded label values. Knows labels and their budgets; knows nothing of metrics or traces."""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

UNKNOWN = "unknown"
"""What stands for a value that was not sent or is blank."""
OTHER = "__other__"
"""What stands for every value past a label's budget."""

_CACHED_VALUES = 4096
_CACHED_LENGTH = 256
_READ_LENGTH = 4096
_CUT_MARK = "~"
_HASH_CHARS = 8

# Controls, marks that hide or reorder text, and what UTF-8 cannot say (lone surrogates).
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff\ud800-\udfff]+"
)
_QUERY = re.compile(r"[?#].*", re.DOTALL)
# Only what cannot be a name: two routes under one value are worse than a spent budget.
_ID = re.compile(
    r"""
    [0-9]+                                          # a number
    | [^@]+@[^@]+\.[a-z]+                           # an address
    | (?:[a-z]+[_-])?                               # perhaps a prefix, as in user_, then:
      (?: [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}                                   # a UUID
        | (?=[a-f]*[0-9]) [0-9a-f]{12,}                                                 # a hash
        | (?=[^0-9]*[0-9]+[^0-9]+[0-9]) [0-9a-z]{20,}                                   # a ULID and its like
        | (?-i: (?=[^0-9]*[0-9]+[^0-9]+[0-9]) (?=[^A-Z]*[A-Z]) (?=[^a-z]*[a-z]) [0-9A-Za-z]{16,} )       # base 62
        | (?-i: (?=[^0-9]*(?:[0-9]+[^0-9]+){3}[0-9]) (?=[^A-Z]*[A-Z]) (?=[^a-z]*[a-z]) [0-9A-Za-z_+=-]{24,} )  # base 64
      )
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


class Slice(NamedTuple):
    """The label values that every quality metric is cut by, already bounded."""

    app: str
    route: str
    model_version: str
    prompt_version: str


class Limiter:
    """Keeps the values of each label within its budget: first come, first named, the rest is ``__other__``.

    ``budgets`` are numbers of values by label; ``max_length`` is bytes of UTF-8; ``allow`` closes a label to the values
    listed, which then need no budget; ``template_routes`` replaces the ids in routes by ``:id``.
    """

    def __init__(
        self,
        budgets: Mapping[str, int],
        *,
        max_length: int = 128,
        allow: Mapping[str, tuple[str, ...]] | None = None,
        template_routes: bool = True,
    ) -> None:
        self._known: dict[str, set[str]] = {}
        self._overflow: dict[str, int] = {}
        self.configure(budgets, max_length=max_length, allow=allow, template_routes=template_routes)

    def configure(
        self,
        budgets: Mapping[str, int],
        *,
        max_length: int = 128,
        allow: Mapping[str, tuple[str, ...]] | None = None,
        template_routes: bool = True,
    ) -> None:
        """Take other limits; values that are known stay known, unless an allow list leaves them out."""
        self._budgets = dict(budgets)
        self._max_length = max(max_length, len(_CUT_MARK) + _HASH_CHARS)
        self._allow = {label: frozenset(values) for label, values in (allow or {}).items() if values}
        self._template_routes = template_routes
        self._known = {label: self._known.get(label, set()) for label in budgets}
        self._forget_cached()

    def fold(self, label: str, value: str | None) -> str:
        """Return the label value that stands for a text; raises KeyError for a label without a budget."""
        cached = self._cache[label]
        found = cached.get(value)
        if found is None:
            found = self._bounded(label, self._clean(label, value))
            if value is None or len(value) <= _CACHED_LENGTH:
                if len(cached) >= _CACHED_VALUES:
                    cached.clear()
                cached[value] = found
        if found is OTHER:
            self._overflow[label] = self._overflow.get(label, 0) + 1
        return found

    def slice(self, app: str | None, route: str | None, model_version: str | None, prompt_version: str | None) -> Slice:
        """Return the bounded slice of a trace."""
        told = app, route, model_version, prompt_version
        return self._slices.get(told) or self._slice(told)

    def _slice(self, told: tuple[str | None, str | None, str | None, str | None]) -> Slice:
        found = Slice(*map(self.fold, Slice._fields, told))
        if OTHER not in found and all(value is None or len(value) <= _CACHED_LENGTH for value in told):
            if len(self._slices) >= _CACHED_VALUES:
                self._slices.clear()
            self._slices[told] = found
        return found

    def learn(self, label: str, values: Iterable[str]) -> None:
        """Take values that are in use already, as those of restored totals are, whatever the budget."""
        self._known[label].update(value for value in values if value not in {UNKNOWN, OTHER})
        self._forget_cached()

    def retain(self, label: str, values: Iterable[str]) -> None:
        """Forget the values that are not in use any more, so that their budget is free again."""
        self._known[label].intersection_update(values)
        self._forget_cached()

    def take_overflow(self) -> dict[str, int]:
        """Return how many values were folded into ``__other__`` since the last call, by label."""
        taken, self._overflow = self._overflow, {}
        return taken

    def _forget_cached(self) -> None:
        self._cache: dict[str, dict[str | None, str]] = {label: {} for label in self._budgets}
        self._slices: dict[tuple[str | None, ...], Slice] = {}

    def _clean(self, label: str, value: str | None) -> str:
        if value is None:
            return UNKNOWN
        text = value if len(value) <= _READ_LENGTH else _cut(value, self._max_length)
        text = _UNFIT.sub("_", text.strip()).strip()
        if label == "route" and self._template_routes:
            text = templated(text)
        return _cut(text, self._max_length) or UNKNOWN

    def _bounded(self, label: str, value: str) -> str:
        if value == UNKNOWN:
            return UNKNOWN
        allowed = self._allow.get(label)
        if allowed is not None:
            return value if value in allowed else OTHER
        known = self._known[label]
        if value in known:
            return value
        if value == OTHER or len(known) >= self._budgets[label]:
            return OTHER
        known.add(value)
        return value


def templated(route: str) -> str:
    """Return a route with each path segment that is an id replaced by ``:id``, and without its query."""
    if "/" in route:
        route = _QUERY.sub("", route).strip()
    return "/".join(":id" if _ID.fullmatch(segment) else segment for segment in route.split("/"))


def _cut(text: str, max_length: int) -> str:
    """Cut a text to a number of UTF-8 bytes, between characters; what is cut ends in a hash that keeps it apart."""
    if len(text) * 4 <= max_length:
        return text
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= max_length:
        return text
    digest = blake2b(encoded, digest_size=_HASH_CHARS // 2).hexdigest()
    head = encoded[: max_length - len(_CUT_MARK) - _HASH_CHARS]
    return head.decode("utf-8", "ignore") + _CUT_MARK + digest
