"""Exposes new series at 0 until every scraper has read them. Knows scrapers; knows no metric by name.

Prometheus's ``increase()`` ignores what a series counted before its first scrape, and an alert on a rollout depends on
the first batch of a new version. So every scraper reads a new series at 0 once, and then its total. Only exposition is
delayed; storing is not. Series that were born in one batch are released together, so that ratios between them are
right.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, Literal, NamedTuple

from .series import Series

Wait = float | Literal["auto"]
"""Seconds for which a new series is shown at 0; auto: until everybody who scrapes has read it."""

LONGEST: Final = 300.0
"""Seconds after which a series is released whoever has read it: nobody reads metrics less often and can use them."""
INTRODUCTION: Final = 60.0
"""Seconds after the start within which everybody who scrapes is expected to come by once."""
_PATIENCE: Final = 2.5
"""Scrape intervals after which a scraper that does not come back is no longer waited for."""
_LEAST_PATIENCE: Final = 15.0
"""Seconds that everybody is waited for, however short the interval: a busy machine skips scrapes."""
_UNKNOWN_PATIENCE: Final = 90.0
"""Seconds that one is waited for that came once, whose interval is not known."""
_GAPS: Final = 4
_MOST_SCRAPERS: Final = 64


class Scraper(NamedTuple):
    """The identity of a scraper, as far as a request shows it: address, connection and user agent."""

    address: str
    connection: str
    program: str


class _Birth(NamedTuple):
    """When a batch of series was born: after which mark, and when by the clock."""

    mark: int
    at: float


class _Visits:
    """The history of one scraper: its last scrape, the mark it has read up to, and the intervals between scrapes."""

    __slots__ = ("at", "gaps", "mark")

    def __init__(self, at: float, mark: int) -> None:
        self.at = at
        self.mark = mark
        self.gaps: deque[float] = deque(maxlen=_GAPS)

    def again(self, at: float, mark: int) -> None:
        self.gaps.append(at - self.at)
        self.at, self.mark = at, max(mark, self.mark)

    def is_awaited(self, now: float) -> bool:
        patience = max(max(self.gaps) * _PATIENCE, _LEAST_PATIENCE) if self.gaps else _UNKNOWN_PATIENCE
        return now - self.at <= min(patience, LONGEST)


class Births:
    """The series that are still exposed at 0. ``clock`` is monotonic, in seconds."""

    def __init__(self, wait: Wait = "auto", clock: Callable[[], float] = time.monotonic) -> None:
        self.wait = wait
        self._clock = clock
        self._known_from = clock() + INTRODUCTION
        self._marks = 0
        self._scrapers: dict[Scraper, _Visits] = {}
        self._born: dict[Series, _Birth] = {}
        self._batches: dict[_Birth, set[Series]] = {}

    def __contains__(self, series: Series) -> bool:
        return series in self._born

    def __iter__(self) -> Iterator[Series]:
        return iter(self._born)

    def __len__(self) -> int:
        return len(self._born)

    def add(self, some: Collection[Series]) -> None:
        """Expose these series at 0 from now on, until all of them are released together."""
        if some and self.wait != 0:
            birth = _Birth(self._marks, self._clock())
            self._batches.setdefault(birth, set()).update(some)
            self._born.update(dict.fromkeys(some, birth))

    def release(self, some: Iterable[Series]) -> None:
        """Expose the totals of these series from now on; those that are released already are ignored."""
        for series in some:
            birth = self._born.pop(series, None)
            if birth is not None:
                batch = self._batches[birth]
                batch.discard(series)
                if not batch:
                    del self._batches[birth]

    def due(self) -> list[Series]:
        """The series that every scraper has read at 0, or that have waited long enough."""
        now = self._clock()
        read = self._read_by_all(now)
        return [series for birth, batch in self._batches.items() if self._is_due(birth, now, read) for series in batch]

    def mark(self) -> int:
        """Return a number for what is shown now, to be given to ``scraped`` of all who have read it."""
        self._marks += 1
        return self._marks

    def scraped(self, scraper: Scraper, mark: int) -> None:
        """Note that somebody has read what was shown at a mark."""
        now = self._clock()
        self._scrapers = {who: visits for who, visits in self._scrapers.items() if now - visits.at <= LONGEST}
        known = self._scrapers.get(scraper)
        if known is not None:
            known.again(now, mark)
        elif len(self._scrapers) < _MOST_SCRAPERS or self._forget_one():
            self._scrapers[scraper] = _Visits(now, mark)

    def _forget_one(self) -> bool:
        """Make room for one more by forgetting who came once, the longest ago; returns whether there was anybody."""
        once = [who for who, visits in self._scrapers.items() if not visits.gaps]
        if once:
            del self._scrapers[min(once, key=lambda who: self._scrapers[who].at)]
        return bool(once)

    def _is_due(self, birth: _Birth, now: float, read: int) -> bool:
        age = now - birth.at
        if self.wait != "auto":
            return age >= self.wait
        return birth.mark < read or age >= LONGEST

    def _read_by_all(self, now: float) -> int:
        """The mark up to which everybody has read; 0 while it is not known who scrapes."""
        if now < self._known_from:
            return 0
        return min((each.mark for each in self._scrapers.values() if each.is_awaited(now)), default=0)
