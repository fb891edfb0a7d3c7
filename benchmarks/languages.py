"""Measures `refusal` in each language on the sentences of tests/refusal: precision, recall, and what is wrong (-v).

They are ours, half of them near misses, and some of the phrases were written with them in view: read the figures as an
upper bound.
"""

import argparse
import json
from pathlib import Path

from exporter.evaluators.refusal import declined

SETS = Path(__file__).parents[1] / "tests" / "refusal"


def measured(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    found = [(declined(row["output"]).probability > 0.5, row["declines"], row["output"]) for row in rows]
    right = sum(flag and label for flag, label, _ in found)
    precision, recall = right / sum(flag for flag, _, _ in found), right / sum(label for _, label, _ in found)
    return len(rows), precision, recall, [text for flag, label, text in found if flag != label]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", "--verbose", action="store_true", help="print the sentences that are judged wrongly")
    verbose = parser.parse_args().verbose
    print(f"{'language':10} {'lines':>5} {'precision':>9} {'recall':>6}")
    for path in sorted(SETS.glob("*.jsonl")):
        lines, precision, recall, wrong = measured(path)
        print(f"{path.stem:10} {lines:5} {precision:9.2f} {recall:6.2f}")
        if verbose:
            print(*(f"    {text}" for text in wrong), sep="\n")


if __name__ == "__main__":
    main()
