"""Measures the evaluators on human-labelled data (--data) beside the baselines that were measured before them.

The shipped weights were fitted on the same rows, so they are fitted again per fold here and scored on rows whose
prompt or document no fold saw. Rows that an evaluator leaves unscored count as supported (grounding, citation).
"""

import argparse
import json
import random
from pathlib import Path

import groundings
import logistic

from exporter.config.settings import FeedbackSettings
from exporter.evaluators import BUILT_IN, phrases, sources, words
from exporter.evaluators.declining import hedged, stated
from exporter.evaluators.grounding import judged
from exporter.evaluators.refusal import declined, features
from exporter.feedback.derive import is_rephrase
from exporter.feedback.wording import question
from exporter.model.score import Score
from exporter.model.trace import Document, Trace
from exporter.offline.likeness import Neighbours, signature

FOLDS = 5
DRAWS = 200
RUN = {function.__name__: function for function in BUILT_IN}


def rows_of(data, name):
    return [json.loads(line) for line in (data / name / "dev.jsonl").open()]


def folds_of(rows):
    groups = sorted({row["group"] for row in rows})
    random.Random(0).shuffle(groups)
    fold = {group: number % FOLDS for number, group in enumerate(groups)}
    return [fold[row["group"]] for row in rows]


def out_of_fold(table, labels, folds, apart, **how):
    """Each row's probability under weights fitted on other folds, and on other models where ``apart`` names them."""
    scores = [0.0] * len(labels)
    for fold in range(FOLDS):
        for part in sorted(set(apart)):
            train = [n for n in range(len(labels)) if folds[n] != fold and (part == "" or apart[n] != part)]
            weights = logistic.fit([table[n] for n in train], [labels[n] for n in train], **how)
            for n in range(len(labels)):
                if folds[n] == fold and apart[n] == part:
                    scores[n] = logistic.probability(table[n], weights)
    return scores


def trace_of(row):
    documents = tuple(Document(text=text) for text in row["context"])
    return Trace(
        trace_id=row["id"], content_state="answered", question=row["input"], answer=row["output"], context=documents
    )


def grounded(row):
    said = RUN["grounding"](trace_of(row))
    return said.value if isinstance(said, Score) else 1.0


def line(name, value, baseline):
    print(f"  {name:66} {value:7.3f}   {baseline}")


def measure_refusal(data):
    print("refusal, XSTest dev, F1")
    rows = rows_of(data, "refusal_xstest")
    labels = [row["label"] for row in rows]
    found = [features(row["output"]) for row in rows]
    table = [[float(n in o) for n in phrases.OPENING] + [float(n in t) for n in phrases.LATER] for o, t in found]
    absent = ["absent" in opening for opening, _ in found]
    plainly = [(stated(row["output"]) is not None, hedged(row["output"])) for row in rows]
    models = [row["model"] for row in rows]
    folds = folds_of(rows)
    for name, apart, baseline in (
        ("unseen prompt", [""] * len(rows), "string match .872, patterns .918"),
        ("unseen prompt and model", models, "patterns .913, patterns + n-grams .930"),
    ):
        scores = out_of_fold(table, labels, folds, apart, ridge=3.0)
        likely = [p > 0.5 or a for p, a in zip(scores, absent, strict=True)]
        flags = [not helps if p else said for p, (said, helps) in zip(likely, plainly, strict=True)]
        precision, recall, f1 = logistic.f1(flags, labels)
        line(f"{name} (P {precision:.3f}, R {recall:.3f})", f1, baseline)
        if apart[0]:
            for model in sorted(set(models)):
                mine = [n for n, one in enumerate(models) if one == model]
                line(f"  {model}", logistic.f1([flags[n] for n in mine], [labels[n] for n in mine])[2], "")
    other = rows_of(data, "grounding_ragtruth")
    for task, baseline in (("Summary", "0 (long list 10-12 %)"), ("Data2txt", "0"), ("QA", ".006")):
        answers = [row["output"] for row in other if row["task"] == task]
        flagged = sum(declined(text).probability > 0.5 for text in answers)
        line(f"flagged, RAGTruth {task} ({len(answers)})", flagged / len(answers), baseline)


def measure_grounding(data):
    print(
        "grounding, RAGTruth dev (weights and pass marks fitted again per fold); AUROC [95 % interval over documents]"
    )
    rows = rows_of(data, "grounding_ragtruth")
    found = [groundings.support_of(row) for row in rows]
    scores = groundings.out_of_fold(rows, found, folds_of(rows))
    other = groundings.out_of_fold(rows, found, folds_of(rows), [row["model"] for row in rows])
    everything = list(range(len(rows)))
    interval_line("pooled", area, rows, scores, everything, "token recall .756, prototype .821")
    interval_line("within one model", within, rows, scores, everything, "")
    interval_line("pooled, models it was not fitted on", area, rows, other, everything, "")
    interval_line("within one model it was not fitted on", within, rows, other, everything, "")
    for task, (pooled, inside) in TASKS.items():
        mine = [n for n in everything if rows[n]["task"] == task]
        interval_line(task, area, rows, scores, mine, f"token recall and prototype {pooled}")
        interval_line(f"{task}, within one model", within, rows, scores, mine, f"token recall and prototype {inside}")
    measure_pass_mark(rows, scores)
    online = [grounded(row) for row in rows]
    print("the same as shipped, which was fitted on most of these rows")
    interval_line("pooled", area, rows, online, everything, "")
    measure_pass_mark(rows, online)
    begin = [{**row, "task": "BEGIN"} for row in rows_of(data, "grounding_begin")]
    values = [grounded(row) for row in begin]
    interval_line("BEGIN, weights of RAGTruth", area, begin, values, list(range(len(begin))), "token recall .937")


TASKS = {
    "QA": (".743, .818", ".671, .761"),
    "Summary": (".650, .676", ".566, .619"),
    "Data2txt": (".674, .824", ".552, .703"),
}


def measure_pass_mark(rows, scores):
    """By task: false alarms by model, what is found at the pass mark, and at 5 % of all correct answers."""
    print("  at the pass mark: correct answers that fail, by model; wrong answers that fail [95 % interval]")
    for task in TASKS:
        mine = [n for n, row in enumerate(rows) if row["task"] == task]
        for model in sorted({rows[n]["model"] for n in mine}):
            good = [n for n in mine if rows[n]["model"] == model and not rows[n]["label"]]
            interval_line(f"  {task}: {model}, of {len(good)} correct ones fail", failing, rows, scores, good, "")
        wrong = [n for n in mine if rows[n]["label"]]
        interval_line(f"  {task}: of {len(wrong)} wrong ones fail", failing, rows, scores, wrong, "")
        right = sorted(scores[n] for n in mine if not rows[n]["label"])
        mark = right[int(0.05 * len(right))]
        found = sum(scores[n] < mark for n in wrong) / len(wrong)
        line(f"  {task}: wrong ones below a mark that fails 5 % of all correct", found, f"mark {mark:.2f}")


def area(rows, scores, mine):
    """AUROC of telling wrong answers."""
    return logistic.auroc([1 - scores[n] for n in mine], [rows[n]["label"] for n in mine])


def failing(_rows, scores, mine):
    return sum(scores[n] < 0.5 for n in mine) / max(1, len(mine))


def within(rows, scores, mine):
    """AUROC within the answers of one model to one task, averaged by their number."""
    parts = {}
    for n in mine:
        parts.setdefault((rows[n]["model"], rows[n]["task"]), []).append(n)
    mixed = [part for part in parts.values() if 0 < sum(rows[n]["label"] for n in part) < len(part)]
    return sum(len(part) * area(rows, scores, part) for part in mixed) / sum(map(len, mixed))


def interval_line(name, measure, rows, scores, mine, baseline):
    """A measure with its 95 % interval, by drawing documents again."""
    groups = {}
    for n in mine:
        groups.setdefault(rows[n]["group"], []).append(n)
    draws, chance, names = [], random.Random(0), sorted(groups)
    for _ in range(DRAWS):
        drawn = [n for group in chance.choices(names, k=len(names)) for n in groups[group]]
        draws.append(measure(rows, scores, drawn))
    low, high = sorted(draws)[int(0.025 * DRAWS)], sorted(draws)[int(0.975 * DRAWS) - 1]
    line(name, measure(rows, scores, mine), f"[{low:.3f}, {high:.3f}]  {baseline}")


def measure_citation(data):
    print("citation support, AttributionBench dev, AUROC (weights of RAGTruth; no row of this set was fitted on)")
    rows = [row for row in rows_of(data, "citation_attributionbench") if row["context"]]
    scores = [judged(words.read(row["output"]), sources.source(row["context"])) for row in rows]
    everything = list(range(len(rows)))
    interval_line(f"all ({len(rows)})", area, rows, scores, everything, "token recall .812, prototype .837")
    for task in sorted({row["task"] for row in rows}):
        interval_line(task, area, rows, scores, [n for n in everything if rows[n]["task"] == task], "")


def measure_rephrase(data):
    print("rephrase: what is found at the default settings")
    settings = FeedbackSettings()
    for name, folder in (("banking77", "rephrase_banking77"), ("MRPC (news)", "rephrase_mrpc")):
        rows = rows_of(data, folder)
        pairs = [(question(row["input"]), question(row["output"]), bool(row["label"])) for row in rows]
        for label, what in ((True, "of those that are one"), (False, "of those that are none")):
            asked = [
                is_rephrase(before, now, alike=settings.similarity, words=settings.words)
                for before, now, is_one in pairs
                if is_one is label
            ]
            line(f"{name}, {what}", sum(asked) / len(asked), f"{sum(asked)} of {len(asked)}")


def measure_coverage(data):
    """How often another question has a near neighbour in a suite that knows half of the intents."""
    rows = rows_of(data, "rephrase_banking77")
    intents = {row[text]: row["intents"][place] for row in rows for text, place in (("input", 0), ("output", -1))}
    names = sorted(set(intents.values()))
    known = set(random.Random(0).sample(names, len(names) // 2))
    print(f"coverage, banking77: suites of questions about {len(known)} of {len(names)} intents; near neighbours there")
    asked = sorted(text for text, intent in intents.items() if intent in known)
    random.Random(0).shuffle(asked)
    others = [text for text, intent in intents.items() if intent not in known]
    for size in (1000, 300):
        suite = Neighbours(map(signature, asked[:size]))
        for name, questions in (("the same intents", asked[size:]), ("the other intents", others)):
            found = sum(suite.near(signature(one)) is not None for one in questions)
            line(f"suite of {size}, questions about {name}", found / len(questions), f"{found} of {len(questions)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder of the data sets; see benchmarks/README.md"
    )
    data = parser.parse_args().data
    measure_refusal(data)
    measure_grounding(data)
    measure_citation(data)
    measure_rephrase(data)
    measure_coverage(data)


if __name__ == "__main__":
    main()
