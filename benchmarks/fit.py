"""Fits the evaluators' small weights on human-labelled data, which is no part of this project (--data)."""

import argparse
import json
from pathlib import Path

import logistic

from exporter.evaluators import phrases, sources, support, words
from exporter.evaluators.refusal import features

TARGET = Path(__file__).parents[1] / "exporter" / "evaluators"


def rows_of(data, name):
    return [json.loads(line) for line in (data / name / "dev.jsonl").open()]


def refusal(data):
    names = [("opening", name) for name in phrases.OPENING] + [("later", name) for name in phrases.LATER]
    rows = rows_of(data, "refusal_xstest")
    table = []
    for row in rows:
        opening, later = features(row["output"])
        table.append([float(name in (opening if where == "opening" else later)) for where, name in names])
    weights = logistic.fit(table, [row["label"] for row in rows], ridge=3.0)
    found = {"bias": round(weights[-1], 3), "opening": {}, "later": {}}
    for (where, name), weight in zip(names, weights, strict=False):
        found[where][name] = round(weight, 3)
    write("refusal", found)


def grounding(data):
    table, labels = [], []
    for row in rows_of(data, "grounding_ragtruth"):
        if "Query-Conditioned" in row["source"]:
            continue  # reached us through a copy that is not for commercial use
        found = support.support(words.read(words.prose(row["output"])), sources.source(row["context"]))
        if found is not None:
            table.append(found.features())
            labels.append(row["label"])
    weights = logistic.fit(table, labels, ridge=1.0, signs=[1] * len(support.NAMES))
    features = {name: round(weight, 3) for name, weight in zip(support.NAMES, weights, strict=False)}
    write("grounding", {"bias": round(weights[-1], 3), "features": features})


def write(name, weights):
    (TARGET / f"{name}.json").write_text(json.dumps(weights, indent=1) + "\n")
    print(f"{name}: {sum(len(part) for part in weights.values() if isinstance(part, dict))} weights")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("evaluator", choices=["refusal", "grounding"])
    parser.add_argument(
        "--data", type=Path, required=True, help="the folder of the data sets; see benchmarks/README.md"
    )
    given = parser.parse_args()
    globals()[given.evaluator](given.data)


if __name__ == "__main__":
    main()
