"""How long to wait for missing spans, learnt per application from what came: pure, bounded.

A span names its parent before the parent has ended. With an agent's slow tools the parents arrive minutes later; where
an application exports only some of its spans they never do. A few traces show which it is.
"""

from collections import OrderedDict
from typing import Final

VAIN: Final = 10
"""Traces of one application, one after the other, that were waited for in vain until nobody waits for the next."""
_APPS: Final = 1_000


class Patience:
    """Counts, by application, the traces that waited in vain since a missing parent last arrived."""

    def __init__(self) -> None:
        self._in_vain: OrderedDict[str, int] = OrderedDict()

    def waits(self, app: str) -> bool:
        """Whether to wait for the missing parents of a trace of this application."""
        return self._in_vain.get(app, 0) < VAIN

    def in_vain(self, app: str) -> None:
        """Note that a trace has waited for long and nothing came."""
        self._in_vain[app] = self._in_vain.get(app, 0) + 1
        self._in_vain.move_to_end(app)
        while len(self._in_vain) > _APPS:
            self._in_vain.popitem(last=False)

    def came(self, app: str) -> None:
        """Note that a missing parent has come."""
        self._in_vain.pop(app, None)
