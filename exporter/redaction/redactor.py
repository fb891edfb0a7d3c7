"""Replaces what is private by placeholders, in text and in lists and mappings, within a budget."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from operator import is_
from typing import Any, Final, Literal, NamedTuple, get_args

import re2

from ..runtime.mismatch import of_pattern
from .addresses import EMAIL, IP
from .budget import Budget, SpentError
from .forms import Form, Span
from .look import Look
from .numbers import CARD, IBAN
from .phones import PHONE, countries
from .secrets import NAMES, Secrets
from .shadow import places, shadow

Kind = Literal["secret", "email", "iban", "card", "ip", "phone"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""In the order in which they are looked for: a key may look like a phone number in the middle."""
WITHHELD: Final = "[withheld: too much to redact]"
"""Stands for a text that was not looked at to its end, because its trace's budget was spent."""

_ROUNDS: Final = 8
"""What was cut may leave something at its edge that is found only then; once nothing is found, nothing ever is."""
_LONG_NUMBERS: Final = range(10**7 + 1, 1 << 128)
_NAMES_OF_FIELDS, _VALUES_OF_FIELDS = ("name", "key"), ("value",)
_LISTS: Final = (list, tuple)
_SILENT: Final = re2.Options()
_SILENT.log_errors = False


class PatternError(ValueError):
    """A pattern that cannot be used; says why and what to do."""


class Found(NamedTuple):
    """Something private in a text: its kind (or the name of a user's pattern), and from which character to which."""

    kind: str
    start: int
    end: int


class Redactor:
    """Replaces what is of these kinds, and what the user's own patterns (by the name of the placeholder) match.

    ``names`` says how secrets are called: alternatives, as in NAMES.
    """

    def __init__(self, kinds: Iterable[str] = (), own: Mapping[str, str] | None = None, names: str = NAMES) -> None:
        wanted, own = set(kinds), own or {}
        self._secrets = Secrets(names) if "secret" in wanted else None
        self._first = (self._secrets.form,) if self._secrets else ()
        self._forms = tuple(form for form in (EMAIL, IBAN, CARD, IP, PHONE) if form.kind in wanted)
        # A user's own number may be a phone number, too; and it must not cut a private key in two.
        self._own = {name: compiled(pattern) for name, pattern in own.items()}
        self.kinds = (*(form.kind for form in self._first), *own, *(form.kind for form in self._forms))
        # Made here and not with the first text, which would wait for it.
        if PHONE in self._forms:
            countries()
        self._look = Look((*self._first, *self._forms))
        self._kinds = self._look.kinds

    def find(self, text: str, budget: Budget | None = None) -> list[Found]:
        """What is private in a text, in order and apart; raises SpentError where the budget does not reach."""
        if budget is not None:
            budget.look(len(text))
        kinds = self._kinds(text)
        return self._find(text, kinds, budget or Budget()) if kinds or self._own else []

    def text(self, text: str, found: Counter[str] | None = None, budget: Budget | None = None) -> str:
        """The text with placeholders, such as [email]; the same text where nothing is found. Adds to ``found``.

        WITHHELD where the budget does not reach, which counts that.
        """
        if not text or (budget is None and not self._own and not self._kinds(text)):
            return text
        budget = budget or Budget()
        if budget.done and text in budget.done:
            return budget.done[text]
        try:
            budget.look(len(text))
            if not (kinds := self._kinds(text)) and not self._own:
                return text
            counts = Counter[str]()
            redacted = self._redacted(text, kinds, counts, budget)
        except SpentError as spent:
            budget.withhold(spent.reason)
            return WITHHELD
        budget.done[text] = redacted
        if found is not None:
            found.update(counts)
        return redacted

    def value(self, value: Any, found: Counter[str] | None = None, budget: Budget | None = None) -> Any:
        """The same of all text in a value of lists and mappings, keys included; long whole numbers are text, too.

        What a mapping names as a secret is one.
        """
        if not self.kinds:
            return value
        return self._each(value, Counter() if found is None else found, budget or Budget())

    def _redacted(self, text: str, kinds: int, counts: Counter[str], budget: Budget) -> str:
        for _ in range(_ROUNDS):
            found = self._find(text, kinds, budget) if kinds or self._own else []
            if not found:
                return text
            counts.update(one.kind for one in found)
            text = _replaced(text, found)
            kinds = self._kinds(text)
        raise SpentError("matches")

    def _find(self, text: str, kinds: int, budget: Budget) -> list[Found]:
        shadowed = shadow(text)
        at = places(text, shadowed)
        left, found = shadowed, list[Found]()
        for form in self._first:
            left = self._form(form, left, kinds, budget, found)
        if self._own:
            left = self._matched(text, left, at, budget, found)
        for form in self._forms:
            left = self._form(form, left, kinds, budget, found)
        found.sort(key=lambda one: one.start)
        return found if at is None else [Found(one.kind, at[one.start], at[one.end - 1] + 1) for one in found]

    def _form(self, form: Form, left: bytes, kinds: int, budget: Budget, found: list[Found]) -> bytes:
        """Find one kind in what is left of a shadow; returns what is left then."""
        if not kinds & self._look.bit(form.kind):
            return left
        spans = [(start, end) for start, end in form.spans(left, budget) if start < end]
        found += [Found(form.kind, *span) for span in spans]
        return _blanked(left, spans)

    def _matched(self, text: str, left: bytes, at: list[int] | None, budget: Budget, found: list[Found]) -> bytes:
        """Find what users' patterns match, which see the text itself, but for placeholders and what was found."""
        for name, pattern in self._own.items():
            taken = [(one.start, one.end) for one in found]
            spans = [span for gap in self._gaps(text, at, taken) for span in _matches(text, *gap, pattern, budget)]
            if at is not None:
                spans = _in_shadow(spans, at)
            found += [Found(name, *span) for span in spans]
            left = _blanked(left, spans)
        return left

    def _gaps(self, text: str, at: list[int] | None, taken: list[Span]) -> Iterator[Span]:
        """A user's pattern sees no placeholder: it could match its letters, again and again."""
        if at is not None:
            taken = [(at[start], at[end - 1] + 1) for start, end in taken]
        for kind in self.kinds:
            first, placeholder = 0, f"[{kind}]"
            while (first := text.find(placeholder, first)) >= 0:
                taken.append((first, first + len(placeholder)))
                first += len(placeholder)
        begin = 0
        for start, end in sorted(taken):
            yield begin, start
            begin = max(begin, end)
        yield begin, len(text)

    # Values of lists and mappings.

    def _each(self, value: Any, found: Counter[str], budget: Budget) -> Any:
        if isinstance(value, str):
            return self.text(value, found, budget)
        if isinstance(value, dict):
            return self._mapping(value, found, budget)
        if isinstance(value, _LISTS):
            return _same(value, [self._each(one, found, budget) for one in value]) if value else value
        if value is not None and _is_long(value):
            written = str(value)
            return value if (redacted := self.text(written, found, budget)) == written else redacted
        return value

    def _mapping(self, value: dict[Any, Any], found: Counter[str], budget: Budget) -> dict[Any, Any]:
        named = next((value[name] for name in _NAMES_OF_FIELDS if isinstance(value.get(name), str)), "")
        changed, is_same = {}, True
        for key, one in value.items():
            name = named if key in _VALUES_OF_FIELDS and named else key
            kept = self._each(key, found, budget) if isinstance(key, str) else key
            if self._secrets is not None and isinstance(name, str) and self._secrets.is_named(name):
                changed[kept] = self._named(name, one, found, budget)
            else:
                changed[kept] = self._each(one, found, budget)
            is_same = is_same and kept is key and changed[kept] is one
        return value if is_same else changed

    def _named(self, name: str, value: Any, found: Counter[str], budget: Budget, *, inside: bool = False) -> Any:
        """What a mapping has under a name of secrets."""
        if isinstance(value, _LISTS):
            return _same(value, [self._named(name, one, found, budget, inside=inside) for one in value])
        if isinstance(value, dict):
            value = self._each(value, found, budget)
            changed = {key: self._named(name, one, found, budget, inside=True) for key, one in value.items()}
            return value if all(map(is_, value.values(), changed.values())) else changed
        is_text = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
        assert self._secrets is not None  # noqa: S101 - without, nothing is named
        if is_text and self._secrets.goes(name, str(value), inside=inside):
            found["secret"] += 1
            return "[secret]"
        return self._each(value, found, budget)


def compiled(pattern: str) -> Any:
    """A user's pattern, compiled; raises PatternError."""
    if r"\C" in pattern:
        raise PatternError(r"has \C, which cuts letters in two: write a dot")
    try:
        found = re2.compile(pattern, _SILENT)
    except re2.error:
        what = of_pattern(pattern)
        raise PatternError(f"{what}: write it in the syntax of RE2") from None
    if found.search(b"") is not None:
        raise PatternError("matches where there is nothing: make it match one character at least")
    return found


def _matches(text: str, start: int, end: int, pattern: Any, budget: Budget) -> Iterator[Span]:
    """Where a user's pattern matches between two places of a text."""
    data = text[start:end].encode("utf-8", "replace")
    budget.search(len(data))
    place, at = start, 0
    while (match := pattern.search(data, at)) is not None:
        first, last = match.span()
        budget.match(last - first)
        if first == last:  # where there is nothing, though not in an empty text
            at = last + 1
            if at > len(data):
                return
            continue
        place += len(data[at:first].decode("utf-8", "replace"))
        size = len(data[first:last].decode("utf-8", "replace"))
        yield place, place + size
        place, at = place + size, last


def _in_shadow(spans: Iterable[Span], at: list[int]) -> list[Span]:
    """The places of a shadow that stand for places of its text."""
    known = {place: number for number, place in enumerate(at)}
    found = []
    for start, end in spans:
        inside = [known[place] for place in range(start, end) if place in known]
        if inside:
            found.append((inside[0], inside[-1] + 1))
    return found


def _blanked(data: bytes, spans: list[Span]) -> bytes:
    """The same with brackets and nothing in the place of what was found, as its placeholder will be."""
    if not spans:
        return data
    left = bytearray(data)
    for start, end in spans:
        left[start:end] = b"[" + bytes(end - start - 1)
    return bytes(left)


def _replaced(text: str, found: list[Found]) -> str:
    pieces, at = [], 0
    for kind, start, end in found:
        pieces += [text[at:start], f"[{kind}]"]
        at = end
    return "".join([*pieces, text[at:]])


def _same(value: Any, items: list[Any]) -> Any:
    """The items as a list or tuple; the value itself where nothing in it changed."""
    return value if all(map(is_, value, items)) else type(value)(items)


def _is_long(value: object) -> bool:
    return isinstance(value, int) and value in _LONG_NUMBERS
