"""Pieces of PromQL that several rules share: selectors, ratios, bounds. Knows the arithmetic, not what it is about."""

import re
from collections.abc import Sequence
from decimal import Decimal

SAMPLE = 'sample=~"all|random"'
"""What an SLI may read: hard cases that were chosen to be judged would make it look worse than it is."""


def number(value: Decimal | int) -> str:
    """A number as people write it, without an exponent or needless zeros."""
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def selector(metric: str, *matchers: str) -> str:
    """The metric with those of the matchers that are not empty."""
    chosen = ",".join(matcher for matcher in matchers if matcher)
    return f"{metric}{{{chosen}}}" if chosen else metric


def matching(label: str, globs: Sequence[str]) -> str:
    """A matcher for the values of ``label`` that match one of the globs; empty where every value does."""
    if "*" in globs:
        return ""
    if len(globs) == 1 and not re.search(r"[*?\[]", globs[0]):
        return f'{label}="{_quoted(globs[0])}"'
    return f'{label}=~"{_quoted("|".join(_regex(glob) for glob in globs))}"'


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _regex(glob: str) -> str:
    parts = re.split(r"(\*|\?|\[[^\]]+\])", glob)
    return "".join(_regex_part(part) for part in parts)


def _regex_part(part: str) -> str:
    if part in ("*", "?"):
        return {"*": ".*", "?": "."}[part]
    if part.startswith("["):
        return "[^" + part[2:] if part.startswith("[!") else part
    return re.sub(r"([.+(){}^$|\\\[\]])", r"\\\1", part)


def increase(by: Sequence[str], source: str, window: str) -> str:
    """The increase of a counter in a window, summed by labels: increase first, so that restarts do not count."""
    return f"sum by ({', '.join(by)}) (increase({source}[{window}]))"


def lately(gauge: str) -> str:
    """A gauge as it was last scraped: a scrape that fails must not start the ``for`` of an alert anew."""
    return f"last_over_time({gauge}[5m])"


def wilson_low(ratio: str, events: str, z: Decimal) -> str:
    """Lower end of the Wilson interval of a recorded ratio of recorded events at ``z`` standard deviations."""
    square = z * z
    return (
        f"(\n  ({ratio} + {number(square / 2)} / {events})\n"
        f"  - {number(z)} * sqrt(({ratio} * (1 - {ratio}) + {number(square / 4)} / {events}) / {events})\n"
        f") / (1 + {number(square)} / {events})"
    )


def pooled_z(bad: tuple[str, str], events: tuple[str, str]) -> str:
    """The two-proportion z statistic of two recorded counts each; positive where the first is worse."""
    pooled = f"(({bad[0]} + {bad[1]}) / ({events[0]} + {events[1]}))"
    return (
        f"({bad[0]} / {events[0]} - {bad[1]} / {events[1]})\n"
        f"/ sqrt(\n  {pooled}\n  * (1 - {pooled})\n  * (1 / {events[0]} + 1 / {events[1]})\n)"
    )
