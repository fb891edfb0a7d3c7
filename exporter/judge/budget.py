"""What a judge's calls cost, in whole micro-dollars, and what limits them. Knows no SQL.

A dollar a million tokens is one micro-dollar a token, so prices need no conversion. Every cost is rounded up: a sum of
them is never below what is billed.
"""

from collections.abc import Iterable, Iterator
from decimal import ROUND_CEILING, Decimal
from math import nan
from typing import Literal, Protocol, Self

from msgspec import Struct

from .case import Usage

Short = Literal["hour_tokens", "hour_dollars", "day_tokens", "day_dollars"]
"""Which limit of a budget has no room for a call."""


class Cost(Struct, frozen=True):
    """Tokens, and micro-dollars."""

    tokens: int = 0
    micros: int = 0


class Tariff(Struct, frozen=True):
    """Prices of a judge model in dollars per million tokens; without a price every call costs nothing."""

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


class Cap(Struct, frozen=True, kw_only=True):
    """The limit on spending in one hour or day; None: no limit."""

    tokens: int | None = None
    micros: int | None = None


class Caps(Struct, frozen=True, kw_only=True):
    """The limits of a budget; ``set_aside`` is the share of each that targeted calls may not use."""

    hour: Cap = Cap()
    day: Cap = Cap()
    set_aside: float = 0.8


class Spent(Struct, frozen=True, kw_only=True):
    """What was spent, including reservations, in the current hour and day; the part of targeted calls separately."""

    hour_tokens: int = 0
    hour_micros: int = 0
    day_tokens: int = 0
    day_micros: int = 0
    targeted_hour_tokens: int = 0
    targeted_hour_micros: int = 0
    targeted_day_tokens: int = 0
    targeted_day_micros: int = 0

    @classmethod
    def of(cls, rows: Iterable[tuple[bool, bool, int, int]]) -> Self:
        """The sums of rows of a day: whether for targeted calls, whether of this hour, tokens, micro-dollars."""
        sums = dict.fromkeys(cls.__struct_fields__, 0)
        for targeted, this_hour, tokens, micros in rows:
            for kind in ("", "targeted_") if targeted else ("",):
                for span in ("hour", "day") if this_hour else ("day",):
                    sums[f"{kind}{span}_tokens"] += tokens
                    sums[f"{kind}{span}_micros"] += micros
        return cls(**sums)


def short_of(caps: Caps, spent: Spent, tokens: int, micros: int, *, targeted: bool) -> Short | None:
    """The first limit that so much more would break; targeted calls have only what is not set aside."""
    limits: tuple[tuple[Short, int | None, int, int, int], ...] = (
        ("hour_tokens", caps.hour.tokens, spent.hour_tokens, spent.targeted_hour_tokens, tokens),
        ("hour_dollars", caps.hour.micros, spent.hour_micros, spent.targeted_hour_micros, micros),
        ("day_tokens", caps.day.tokens, spent.day_tokens, spent.targeted_day_tokens, tokens),
        ("day_dollars", caps.day.micros, spent.day_micros, spent.targeted_day_micros, micros),
    )
    for name, limit, total, on_targeted, more in limits:
        if limit is None:
            continue
        if total + more > limit or (targeted and on_targeted + more > limit - round(limit * caps.set_aside)):
            return name
    return None


def limits(caps: Caps) -> Iterator[tuple[str, str]]:
    """The limits that there are, as (window, unit)."""
    for window, cap in (("hour", caps.hour), ("day", caps.day)):
        yield from ((window, unit) for unit in ("tokens", "dollars") if _limit(cap, unit) is not None)


def share(caps: Caps, spent: Spent | None, window: str, unit: str) -> float:
    """How much of a limit is spent, 0 to 1; NaN where there is no such limit, or nobody knows what was spent."""
    limit = _limit(caps.hour if window == "hour" else caps.day, unit)
    if spent is None or not limit:
        return nan
    return float(getattr(spent, f"{window}_{'micros' if unit == 'dollars' else unit}")) / limit


def _limit(cap: Cap, unit: str) -> int | None:
    return cap.micros if unit == "dollars" else cap.tokens


class Ledger(Protocol):
    """Spend ledger: reserve before a call, settle after it. Shared by all processes that open the same one."""

    async def reserve(self, tokens: int, micros: int, *, targeted: bool = False) -> int | Short:
        """Set aside what a call costs at most: the number of the reservation, or the limit that has no room."""

    async def settle(self, reservation: int, tokens: int, micros: int) -> None:
        """Replace a reservation by what was billed; one that is never settled stays spent in full."""
