"""The judge's endpoint and the model names and fingerprints that are accepted from it. Makes no call."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Mismatch = Literal["", "model", "fingerprint"]

Format = Literal["json_schema", "json_object", "none"]
"""How an endpoint is asked for JSON: by the schema of the reply, for any object, or in the prompt alone."""


class Pin(Struct, frozen=True, kw_only=True):
    """Which judge a verdict is taken from: model names, and fingerprints of its system (none: any).

    ``reject`` says that another's verdict is an error; otherwise it is given, and whoever takes it may count it.
    """

    models: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    reject: bool = True

    def mismatch(self, model: str, fingerprint: str) -> Mismatch:
        """Which of the two is not as pinned, "model" or "fingerprint"; "" where both are."""
        if self.models and model not in self.models:
            return "model"
        return "fingerprint" if self.fingerprints and fingerprint not in self.fingerprints else ""


class Endpoint(Struct, frozen=True, kw_only=True):
    """The address of the judge (``url`` such as http://host/v1) and the parameters of its calls.

    ``timeout`` is that of a whole call, in seconds. ``pin.models`` are the names under which the model may reply; none
    mean that it must be ``model`` exactly. A ``seed`` or ``temperature`` of None is not sent, nor a ``format`` of
    "none". ``query`` is added to the address.
    """

    url: str
    model: str
    timeout: float = 60.0
    max_tokens: int = 1000
    seed: int | None = 1
    temperature: float | None = 0.0
    format: Format = "json_schema"
    query: tuple[tuple[str, str], ...] = ()
    pin: Pin = Pin()

    def mismatch(self, model: str, fingerprint: str) -> Mismatch:
        """Which of the two is not as pinned, "model" or "fingerprint"; "" where both are."""
        return self._pin.mismatch(model, fingerprint)

    def expected(self, what: str) -> tuple[str, ...]:
        """The names or the fingerprints that a reply may have; ``what`` is "model" or "fingerprint"."""
        return self._pin.models if what == "model" else self._pin.fingerprints

    @property
    def _pin(self) -> Pin:
        return self.pin if self.pin.models else replace(self.pin, models=(self.model,))
