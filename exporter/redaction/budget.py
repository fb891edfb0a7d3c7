"""A step limit for redacting one trace, the same on every machine and at every start."""

from typing import Final, Literal

Reason = Literal["length", "matches"]

STEPS: Final = 8_000_000
"""Of one trace or request; about 5 ns each, so that the event loop goes on well within 250 ms."""
MATCH: Final = 1_000
"""Steps that a match costs, besides one for each of its bytes: it is checked, and cut out."""


class SpentError(Exception):
    """No steps are left; ``reason`` names what used the last of them."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """The steps left for all texts of one trace, and the number of texts withheld without redaction, by reason.

    ``done`` has what became of the texts that were looked at closely: the same text is asked for again by the judge,
    the store and the review, and is paid for and counted once.
    """

    def __init__(self, steps: int = STEPS) -> None:
        self.done: dict[str, str] = {}
        self.withheld: dict[Reason, int] = {}
        """To be taken by whoever counts them."""
        self._left = steps
        self._spent_on: Reason | None = None

    def withhold(self, reason: Reason) -> None:
        """Count a text that is withheld."""
        self.withheld[reason] = self.withheld.get(reason, 0) + 1

    def look(self, size: int) -> None:
        """Pay for the cheap look at a text of so many characters; raises SpentError."""
        self._left -= size
        if self._left < 0:
            raise self._spent("length")

    def search(self, size: int) -> None:
        """Pay for a pattern's way through so many bytes; raises SpentError."""
        self.look(size // 2)

    def match(self, size: int) -> None:
        """Pay for a match of so many bytes; raises SpentError."""
        self._left -= MATCH + size
        if self._left < 0:
            raise self._spent("matches")

    def _spent(self, on: Reason) -> SpentError:
        """Once spent, always spent, and for the same reason."""
        self._spent_on = self._spent_on or on
        return SpentError(self._spent_on)
