"""Where the judge is and which judge is meant: what a call is made with. Makes none."""

from msgspec import Struct
from msgspec.structs import replace


class Pin(Struct, frozen=True, kw_only=True):
    """Which judge a verdict is taken from: model names, and fingerprints of its system (none: any).

    ``reject`` says that another's verdict is an error; otherwise it is given, and whoever takes it may count it.
    """

    models: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    reject: bool = True

    def mismatch(self, model: str, fingerprint: str) -> str:
        """Which of the two is not as pinned, "model" or "fingerprint"; "" where both are."""
        if self.models and model not in self.models:
            return "model"
        return "fingerprint" if self.fingerprints and fingerprint not in self.fingerprints else ""


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where the judge is (``url`` such as http://host/v1) and how it is asked.

    ``timeout`` is that of a whole call, in seconds. ``pin.models`` are the names under which the model may reply; none
    mean that it must be ``model`` exactly.
    """

    url: str
    model: str
    timeout: float = 60.0
    max_tokens: int = 1000
    seed: int = 1
    pin: Pin = Pin()

    def mismatch(self, model: str, fingerprint: str) -> str:
        """Which of the two is not as pinned, "model" or "fingerprint"; "" where both are."""
        pin = self.pin if self.pin.models else replace(self.pin, models=(self.model,))
        return pin.mismatch(model, fingerprint)
