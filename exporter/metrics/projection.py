"""Selects the series of given slices. Knows no metric by name."""

from collections.abc import Callable, Collection

from .series import Family, Series
from .slice_budget import Slice


def of_any(slices: Collection[Slice]) -> Callable[[Series], bool]:
    """Return what says of a series whether its slice labels are those of one of the slices.

    A series with some of these labels, as a score has no prompt version, belongs to all slices that share them; one
    with none belongs to whatever slices.
    """
    known: dict[Family, tuple[tuple[int, ...], set[tuple[str, ...]]]] = {}

    def belongs(series: Series) -> bool:
        found = known.get(series.family)
        if found is None:
            found = known[series.family] = _projected(series.family, slices)
        positions, values = found
        return not positions or tuple([series.labels[position] for position in positions]) in values

    return belongs


def _projected(family: Family, slices: Collection[Slice]) -> tuple[tuple[int, ...], set[tuple[str, ...]]]:
    """Return where a family has labels of slices, and the values that the slices have there."""
    names = [name for name in Slice._fields if name in family.labels]
    values = {tuple([getattr(where, name) for name in names]) for where in slices}
    return tuple(family.labels.index(name) for name in names), values
