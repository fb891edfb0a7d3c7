"""One item of the review queue: its claims, skips and labels, and its state. Pure; times are Unix seconds."""

from typing import Final

from msgspec.structs import replace

from ..records.review import Claim, Ending, Item, Label, Skip, counts, is_same, wanted

MOST_SKIPS: Final = 3
"""So many people may skip an item; then it is done without a verdict."""


def claimed(item: Item, claim: Claim) -> Item:
    """The item with a claim, in the place of an earlier one of the same reviewer."""
    return replace(item, claims=(*_without(item, claim.reviewer), claim))


def released(item: Item, reviewer: str) -> Item:
    """The item without the reviewer's claim."""
    return replace(item, claims=_without(item, reviewer))


def skipped(item: Item, skip: Skip) -> Item:
    """The item after a reviewer did not want to say; what others are at is not taken from them."""
    item = replace(released(item, skip.reviewer), skips=(*item.skips, skip))
    return ended(item, "skipped", skip.at) if len(item.skips) >= MOST_SKIPS and not item.claims else item


def labelled(item: Item, label: Label) -> Item:
    """The item with one more label: done, if no more is wanted."""
    item = replace(released(item, label.reviewer), labels=(*item.labels, label))
    split = tuple(name for name in item.ask if all(counts(item, name)[verdict] for verdict in ("pass", "fail")))
    item = replace(item, disputed=split)
    if len(item.labels) < wanted(item):
        return item
    if not split:
        return ended(item, "decided", label.at)
    return ended(item, "majority" if all(name in item.verdicts() for name in split) else "undecided", label.at)


def ended(item: Item, how: Ending, at: float) -> Item:
    """The item, done."""
    return replace(item, claims=(), ended=how, done_at=at)


def _without(item: Item, reviewer: str) -> tuple[Claim, ...]:
    return tuple(claim for claim in item.claims if not is_same(claim.reviewer, reviewer))
