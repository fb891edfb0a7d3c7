"""Increments of a batch by slice, and the cached series of each slice. Knows no total.

Increments are added to the series once for a batch: naming a series, and finding it among thousands, costs more than
counting.
"""

from collections import Counter, defaultdict

from . import families as f
from . import own
from .labels import Slice
from .series import Exemplar, Family, Series, series_of

Kind = tuple[str, str, str, str]
"""Of a verdict: evaluator, its version, verdict, sample."""
_KEPT = 4096


class Verdicts:
    """Verdicts of one kind in one slice: their scores, the exemplars among them, and the time of the last one."""

    __slots__ = ("at", "exemplars", "scores")

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.exemplars: list[Exemplar] = []
        self.at = 0.0


class Gathered:
    """Increments of a batch in one slice; None where no trace had the field. ``first_at``: time of its first trace."""

    __slots__ = (
        "cost",
        "durations",
        "errors",
        "first_at",
        "first_tokens",
        "input",
        "kinds",
        "output",
        "repeated",
        "requests",
        "speeds",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.first_at = 0.0
        self.durations: list[float] = []
        self.first_tokens: list[float] = []
        self.speeds: list[float] = []
        self.errors: Counter[str] = Counter()
        self.repeated: Counter[str] = Counter()
        self.input: float | None = None
        self.output: float | None = None
        self.cost: float | None = None
        self.kinds: defaultdict[Kind, Verdicts] = defaultdict(Verdicts)


class SliceSeries:
    """The series of one slice; ``score`` is the family of scores as it is declared now.

    ``kinds`` caches the series of each kind of verdict, see ``of``.
    """

    __slots__ = (
        "_score",
        "cost",
        "duration",
        "first_seen",
        "first_token",
        "input",
        "kinds",
        "output",
        "requests",
        "speed",
        "where",
    )

    def __init__(self, where: Slice, score: Family) -> None:
        self.where = where
        self.requests = series_of(f.REQUESTS, where)
        self.duration = series_of(f.REQUEST_DURATION, where)
        self.first_token = series_of(f.TIME_TO_FIRST_TOKEN, where[:3])
        self.speed = series_of(f.OUTPUT_SPEED, where[:3])
        self.input = series_of(f.TOKENS, ("input", *where))
        self.output = series_of(f.TOKENS, ("output", *where))
        self.cost = series_of(f.COST, where)
        self.first_seen = series_of(f.VERSION_FIRST_SEEN, where)
        self._score = score
        self.kinds: dict[Kind, tuple[Series, Series, Series]] = {}

    def of(self, kind: Kind) -> tuple[Series, Series, Series]:
        """Name the series of one kind of verdict: the counter, the scores, and when the evaluator last scored."""
        evaluator, version, _, sample = kind
        named = self.kinds[kind] = (
            series_of(f.EVALUATIONS, (*kind, *self.where)),
            series_of(self._score, (evaluator, version, sample, *self.where[:3])),
            series_of(own.LAST_SCORED, (evaluator,)),
        )
        return named


class Slices:
    """Cache of the slices that were counted last."""

    def __init__(self) -> None:
        self.score: Family = f.SCORE
        self._kept: dict[Slice, SliceSeries] = {}

    def declare(self, score: Family) -> None:
        """Name scores as they are declared from now on."""
        self.score = score
        self._kept.clear()

    def of(self, where: Slice) -> SliceSeries:
        """Return the series of a slice."""
        found = self._kept.get(where)
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[where] = SliceSeries(where, self.score)
        return found
