"""The rows of a page's tables of metrics, from their declarations; `make tables` writes them into the page.

A row of a metric that is no more goes; one of a new metric comes after that of the metric declared before it.
"""

import re
import sys
from pathlib import Path

from exporter.metrics.catalogue import CATALOGUE

PAGE = Path(__file__).parents[1] / "exporter" / "metrics" / "README.md"
SLICE = "app, route, model_version, prompt_version"


def rows():
    """The row of each metric, by its name, in the order of declaration."""
    labels = {one.name: ", ".join(one.labels).replace(SLICE, "slice") for one in CATALOGUE}
    return {one.name: f"| `{one.name}` | {one.type} | {labels[one.name]} | {one.help} |" for one in CATALOGUE}


def written(page):
    """The page with the rows as they should be."""
    wanted = rows()
    names = list(wanted)
    lines = []
    there = set(re.findall(r"^\| `(llmq_\w+)` \|", page, re.MULTILINE)) & wanted.keys()
    for line in page.split("\n"):
        found = re.match(r"\| `(llmq_\w+)` \|", line)
        if found is None:
            lines.append(line)
        elif found[1] in wanted:
            lines.append(wanted[found[1]])
            for name in names[names.index(found[1]) + 1 :]:
                if name in there:
                    break
                lines.append(wanted[name])
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
    sys.stdout.write(f"{len(rows())} metrics\n")
