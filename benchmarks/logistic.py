"""Logistic regression in plain Python, so that fitting our few weights needs no other package."""

from collections.abc import Sequence
from math import exp, log


def fit(
    rows: Sequence[Sequence[float]], labels: Sequence[int], ridge: float = 1.0, signs: Sequence[int] = ()
) -> list[float]:
    """Weights, the bias last, by Newton's method; a weight that contradicts its sign (1, -1; 0 is free) is 0."""
    width = len(rows[0])
    kept = list(range(width))
    while True:
        weights = _newton([[row[k] for k in kept] + [1.0] for row in rows], labels, ridge)
        wrong = [k for k, w in zip(kept, weights, strict=False) if signs and w * signs[k] < 0]
        if not wrong:
            break
        kept = [k for k in kept if k not in wrong]
    found = dict(zip(kept, weights, strict=False))
    return [found.get(k, 0.0) for k in range(width)] + [weights[-1]]


def probability(row: Sequence[float], weights: Sequence[float]) -> float:
    total = weights[-1] + sum(x * w for x, w in zip(row, weights, strict=False))
    return 1 / (1 + exp(-max(-35.0, min(35.0, total))))


def auroc(scores: Sequence[float], labels: Sequence[int]) -> float:
    """The chance that a positive scores above a negative; ties count half."""
    ordered = sorted(zip(scores, labels, strict=True))
    ranks, at = 0.0, 0
    while at < len(ordered):
        end = at
        while end < len(ordered) and ordered[end][0] == ordered[at][0]:
            end += 1
        ranks += (at + end + 1) / 2 * sum(label for _, label in ordered[at:end])
        at = end
    positives = sum(labels)
    return (ranks - positives * (positives + 1) / 2) / (positives * (len(labels) - positives))


def f1(flags: Sequence[bool], labels: Sequence[int]) -> tuple[float, float, float]:
    """Precision, recall and F1."""
    hits = sum(1 for flag, label in zip(flags, labels, strict=True) if flag and label)
    return hits / max(1, sum(flags)), hits / max(1, sum(labels)), 2 * hits / max(1, sum(flags) + sum(labels))


def log_loss(scores: Sequence[float], labels: Sequence[int]) -> float:
    return -sum(log(max(1e-12, p if y else 1 - p)) for p, y in zip(scores, labels, strict=True)) / len(labels)


def _newton(rows: list[list[float]], labels: Sequence[int], ridge: float) -> list[float]:
    width = len(rows[0])
    sparse = [[(k, x) for k, x in enumerate(row) if x] for row in rows]
    weights = [0.0] * width
    for _ in range(12):
        slope = [-ridge * w for w in weights[:-1]] + [0.0]
        curve = [[0.0] * width for _ in range(width)]
        for entries, label in zip(sparse, labels, strict=True):
            total = sum(x * weights[k] for k, x in entries)
            p = 1 / (1 + exp(-max(-35.0, min(35.0, total))))
            left, spread = label - p, p * (1 - p)
            for k, x in entries:
                slope[k] += left * x
                scaled, line = spread * x, curve[k]
                for j, y in entries:
                    line[j] += scaled * y
        for k in range(width - 1):
            curve[k][k] += ridge
        curve[-1][-1] += 1e-9
        step = _solve(curve, slope)
        weights = [w + s for w, s in zip(weights, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return weights


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    size = len(right)
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda j: abs(lines[j][k]))
        lines[k], lines[pivot] = lines[pivot], lines[k]
        for j in range(k + 1, size):
            factor = lines[j][k] / lines[k][k]
            if factor:
                lines[j] = [a - factor * b for a, b in zip(lines[j], lines[k], strict=True)]
    solved = [0.0] * size
    for k in range(size - 1, -1, -1):
        solved[k] = (lines[k][-1] - sum(lines[k][j] * solved[j] for j in range(k + 1, size))) / lines[k][k]
    return solved
