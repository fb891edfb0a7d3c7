"""The cost of a trace, from a configured table of prices by model; has no prices of its own, because they change."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Protocol

from ..model.trace import Trace

_PER_MILLION = 1_000_000
_MODELS_KEPT = 1024


class ModelPrice(Protocol):
    """Dollars per million tokens of the models that the glob ``model`` matches.

    ``cached_input`` is for input that a cache gave, ``cache_write`` for input that was put there; None: as other input.
    """

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def input(self) -> float: ...  # noqa: D102
    @property
    def output(self) -> float: ...  # noqa: D102
    @property
    def cached_input(self) -> float | None: ...  # noqa: D102
    @property
    def cache_write(self) -> float | None: ...  # noqa: D102


class Prices:
    """A price table; the first glob that matches the answering model, else the requested one, gives the price."""

    def __init__(self, table: Sequence[ModelPrice]) -> None:
        self._table = table
        self._found: dict[tuple[str, str | None], ModelPrice | None] = {}

    def cost(self, trace: Trace) -> float | None:
        """Dollars that the trace's tokens cost; None where the model has no price or no tokens were sent."""
        if not self._table or (trace.input_tokens is None and trace.output_tokens is None):
            return None
        price = self._price(trace.model_version, trace.request_model)
        if price is None:
            return None
        read, written = trace.cache_read_tokens or 0, trace.cache_write_tokens or 0
        dollars = (
            ((trace.input_tokens or 0) - read - written) * price.input
            + read * (price.input if price.cached_input is None else price.cached_input)
            + written * (price.input if price.cache_write is None else price.cache_write)
            + (trace.output_tokens or 0) * price.output
        )
        return dollars / _PER_MILLION

    def _price(self, answered: str, requested: str | None) -> ModelPrice | None:
        key = (answered, requested)
        if key not in self._found:
            if len(self._found) >= _MODELS_KEPT:
                self._found.clear()
            self._found[key] = self._match(answered) or (self._match(requested) if requested else None)
        return self._found[key]

    def _match(self, model: str) -> ModelPrice | None:
        return next((price for price in self._table if fnmatchcase(model, price.model)), None)
