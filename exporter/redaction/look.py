"""A quick check of which kinds of private text a text may contain. Most contain none, and are not scanned further."""

from collections.abc import Callable, Sequence
from functools import partial

import re2

from ..native import COMPILED
from .forms import LATIN, Form
from .marks import packed
from .shadow import shadow, table

if COMPILED:
    from ..native._kernels import marked_kinds


class Look:
    """Tells which kinds a text may contain: in C by their marks, else by their patterns, several times slower."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._bits = {form.kind: 1 << number for number, form in enumerate(forms)}
        self._patterns = re2.Set.SearchSet(LATIN)
        for form in forms:
            self._patterns.Add(form.pattern.pattern)
        self._patterns.Compile()
        self.kinds: Callable[[str], int] = self.matched if forms else lambda _text: 0
        """The kinds that may be in a text, as the sum of their bits."""
        stand_ins = table()  # made now and not with the first text, which would wait for it
        if COMPILED:
            marks = {self._bits[form.kind]: form.marks for form in forms}
            self.kinds = partial(marked_kinds, packed(marks), stand_ins)

    def matched(self, text: str) -> int:
        """The kinds whose patterns match somewhere in a text."""
        return sum(1 << number for number in self._patterns.Match(shadow(text)) or ())

    def bit(self, kind: str) -> int:
        """The bit of a kind."""
        return self._bits[kind]
