"""Gauges that are not durable: values that were set, and functions called by a scrape. Knows no metric by name."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

from .series import Family, Series, series_of


class Watched(NamedTuple):
    """A gauge whose value is a function that every scrape calls."""

    family: Family
    read: Callable[[], float]
    labels: tuple[str, ...] = ()


class Gauges:
    """The gauges of current values; empty after each start."""

    def __init__(self) -> None:
        self._values: dict[Series, float] = {}
        self._readers: dict[str, dict[Series, Callable[[], float]]] = {}

    def set(self, family: Family, labels: tuple[str, ...], value: float) -> None:
        """Show a value."""
        self._values[series_of(family, labels)] = float(value)

    def watch(self, owner: str, gauges: Iterable[Watched]) -> None:
        """Register functions whose values every scrape reads, replacing those that the owner had registered."""
        self._readers[owner] = {series_of(family, labels): read for family, read, labels in gauges}

    def remove(self, family: Family, labels: tuple[str, ...]) -> None:
        """Show a series no longer; one that is not shown is passed over."""
        self._values.pop(series_of(family, labels), None)

    def remove_all(self, family: Family, labels: tuple[str, ...]) -> None:
        """Show none of a family's series whose first labels are these."""
        name, count = family.name, len(labels)
        for series in [one for one in self._values if one.family.name == name and one.labels[:count] == labels]:
            del self._values[series]

    def values(self) -> dict[Series, float]:
        """Return all values as they are now; calls the functions, so call it in the event loop's thread."""
        readers = chain.from_iterable(readers.items() for readers in self._readers.values())
        return self._values | {series: float(read()) for series, read in readers}
