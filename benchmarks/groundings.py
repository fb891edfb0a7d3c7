"""How weights of `grounding` are fitted, for fit.py and accuracy.py alike: rows → features, weights and pass marks."""

import logistic

from exporter.evaluators import sources, support, words
from exporter.evaluators.grounding import risk_of, value_of

FALSE_ALARMS = 0.03
"""The share of a strong model's correct answers that the pass mark fails at most, on each task: 5 %, with a margin."""

STRONG = ("gpt-4", "gpt-3.5")
RIDGE = {True: 0.3, False: 3.0}
SIGNS = {True: [1] * len(support.FIELDS), False: [1] * len(support.PROSE)}


def is_strong(row):
    return row["model"].startswith(STRONG)


def support_of(row):
    return support.support(words.read(words.prose(row["output"])), sources.source(row["context"]), row["input"])


def fitted(found, labels):
    """Weights, the bias last, of rows of one kind."""
    kind = found[0].structured
    return logistic.fit([one.features() for one in found], labels, ridge=RIDGE[kind], signs=SIGNS[kind])


def total(one, weights):
    """The weighed sum of features."""
    return weights[-1] + sum(x * w for x, w in zip(one.features(), weights, strict=False))


def risk(one, weights):
    return risk_of(total(one, weights), one)


def mark(risks, rows):
    """The lowest risk that at most FALSE_ALARMS of each strong model's correct answers exceed, on each task."""
    good = {}
    for one, row in zip(risks, rows, strict=True):
        if is_strong(row) and not row["label"]:
            good.setdefault((row["task"], row["model"]), []).append(one)
    return max(sorted(several)[-1 - int(FALSE_ALARMS * len(several))] for several in good.values()) + 1e-6


def out_of_fold(rows, found, folds, apart=None):
    """Each row's score under weights and marks that were fitted on other folds (and, if apart, on other models)."""
    scores = [1.0] * len(rows)
    for kind in (True, False):
        mine = [n for n, one in enumerate(found) if one and one.structured == kind]
        for fold in sorted(set(folds)):
            for part in sorted({apart[n] for n in mine}) if apart else [None]:
                train = [n for n in mine if folds[n] != fold and (part is None or apart[n] != part)]
                weights = fitted([found[n] for n in train], [rows[n]["label"] for n in train])
                at = mark([risk(found[n], weights) for n in train], [rows[n] for n in train])
                for n in mine:
                    if folds[n] == fold and (part is None or apart[n] == part):
                        scores[n] = value_of(total(found[n], weights), found[n], at)
    return scores
