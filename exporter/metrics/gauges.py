"""Gauges of the moment: values that were set, and functions that a scrape reads. Knows no metric by name."""

from collections.abc import Callable

from .series import Family, Series, series_of


class Gauges:
    """The gauges that show how things are now; they start again at every start."""

    def __init__(self) -> None:
        self._values: dict[Series, float] = {}
        self._readers: dict[Series, Callable[[], float]] = {}

    def set(self, family: Family, labels: tuple[str, ...], value: float) -> None:
        """Show a value."""
        self._values[series_of(family, labels)] = float(value)

    def watch(self, family: Family, labels: tuple[str, ...], read: Callable[[], float]) -> None:
        """Have every scrape call a function for the value."""
        self._readers[series_of(family, labels)] = read

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
        return self._values | {series: float(read()) for series, read in self._readers.items()}
