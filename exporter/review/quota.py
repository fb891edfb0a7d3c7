"""A daily quota of items for each reason, fair over slices. Knows no clock beyond the day of a time, and no store.

When the day is full, an item of a slice with fewer items replaces the newest untouched item of the slice with the most:
the quota fills first come, first served, and slices need not be known beforehand.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from ..records.review import Item

DAY: Final = 86_400.0


class NoPlaceError(Exception):
    """The daily quota of this reason is used up."""


def day(at: float) -> int:
    """The day (UTC) of a time in Unix seconds."""
    return int(at // DAY)


def place(today: Sequence[Item], per_day: int, where: tuple[str, str, str, str]) -> Item | None:
    """The item that must go for a new one of a slice, None where there is room; raises NoPlaceError.

    ``today`` are the day's items of the reason, the earliest first.
    """
    if len(today) < per_day:
        return None
    counts = Counter(item.where for item in today)
    newest_of_most = sorted(enumerate(today), key=lambda one: (-counts[one[1].where], -one[0]))
    for _, item in newest_of_most:
        if counts[item.where] <= counts[where] + 1:
            break
        if item.is_untouched:
            return item
    raise NoPlaceError
