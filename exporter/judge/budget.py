"""What a judge's calls cost, in whole micro-dollars, and the purse that they are paid from. Knows no SQL.

A dollar a million tokens is one micro-dollar a token, so prices need no conversion. Every cost is rounded up: a sum of
them is never below what is billed.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Literal, Protocol

from msgspec import Struct

from .case import Usage

Short = Literal["hour_tokens", "hour_dollars", "day_tokens", "day_dollars"]
"""Which limit of a budget has no room for a call."""


class Cost(Struct, frozen=True):
    """Tokens, and micro-dollars."""

    tokens: int = 0
    micros: int = 0


class Tariff(Struct, frozen=True):
    """What a judge model costs, in dollars for a million tokens; without a price every call costs nothing."""

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)

    @classmethod
    def of(cls, input_price: float, output_price: float) -> "Tariff":
        """The tariff of prices as people write them."""
        return cls(Decimal(str(input_price)), Decimal(str(output_price)))

    def cost(self, usage: Usage) -> Cost:
        """What a call that used so much is billed, rounded up to the next micro-dollar."""
        micros = (usage.input * self.input + usage.output * self.output).to_integral_value(ROUND_CEILING)
        return Cost(usage.input + usage.output, int(micros))


class Purse(Protocol):
    """Where calls are paid from: reserve before one, settle after it. Shared by all who open the same one."""

    def reserve(self, tokens: int, micros: int, *, targeted: bool = False) -> int | Short:
        """Set aside what a call costs at most: the number of the reservation, or the limit that has no room."""

    def settle(self, reservation: int, tokens: int, micros: int) -> None:
        """Replace a reservation by what was billed; one that is never settled stays spent in full."""
