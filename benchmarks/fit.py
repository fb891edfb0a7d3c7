"""Fits the evaluators' small weights on human-labelled data, which is no part of this project (--data)."""

import argparse
import json
from pathlib import Path

import groundings
import logistic

from exporter.evaluators import phrases, support
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
    """One set of weights and a pass mark for each kind of documents, of the rows that may be used for anything."""
    rows = [row for row in rows_of(data, "grounding_ragtruth") if "Query-Conditioned" not in row["source"]]
    found = [groundings.support_of(row) for row in rows]
    written = {}
    for name, kind, names in (("prose", False, support.PROSE), ("structured", True, support.FIELDS)):
        mine = [n for n, one in enumerate(found) if one and one.structured == kind]
        weights = groundings.fitted([found[n] for n in mine], [rows[n]["label"] for n in mine])
        mark = groundings.mark([groundings.risk(found[n], weights) for n in mine], [rows[n] for n in mine])
        features = {feature: round(weight, 3) for feature, weight in zip(names, weights, strict=False)}
        written[name] = {"bias": round(weights[-1], 3), "mark": round(mark, 3), "features": features}
    write("grounding", written)


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
