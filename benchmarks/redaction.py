"""Measures what redaction finds on tests/redaction/lines.txt: precision and recall by kind; -v shows what is wrong.

Precision: of all that was replaced, the share in which something is private. Recall: of all that is private, the share
of which nothing is left.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from exporter.redaction import Redactor

LINES = Path(__file__).parent.parent / "tests" / "redaction" / "lines.txt"
KINDS = ("secret", "email", "phone", "card", "iban")
_PRIVATE = re.compile(r"⟨(\w+):(.*?)⟩", re.DOTALL)


def lines():
    """Each line as its text, and what is private in it as (kind, from, to)."""
    for line in LINES.read_text("utf-8").replace("⏎", "\r").split("\n"):
        if not line or line.startswith("# "):
            continue
        text, private, at = "", [], 0
        for match in _PRIVATE.finditer(line):
            text += line[at : match.start()]
            private.append((match[1], len(text), len(text) + len(match[2])))
            text, at = text + match[2], match.end()
        yield (text + line[at:]).replace("\r", "\n"), private


def measured():
    """Counts by kind and what: private, missed, replaced, wrongly; and the lines where something was."""
    redactor, counts, wrong = Redactor(KINDS), Counter(), []
    for text, private in lines():
        found = redactor.find(text)
        missed = [one for one in private if not any(start <= one[1] and one[2] <= end for _, start, end in found)]
        wrongly = [one for one in found if not any(one.start < end and start < one.end for _, start, end in private)]
        for what, some in (("private", private), ("missed", missed), ("replaced", found), ("wrongly", wrongly)):
            counts.update((one[0], what) for one in some)
        if missed or wrongly:
            wrong.append((redactor.text(text), [text[start:end] for _, start, end in missed]))
    return counts, wrong


def table():
    """The table of the README."""
    counts, _ = measured()
    rows = ["| kind | private | recall | replaced | precision |", "|---|---|---|---|---|"]
    for kind in (*KINDS, "all"):
        private, missed, replaced, wrongly = (
            sum(count for (of, what), count in counts.items() if what == wanted and kind in (of, "all"))
            for wanted in ("private", "missed", "replaced", "wrongly")
        )
        rows.append(f"| {kind} | {private} | {1 - missed / private:.2f} | {replaced} | {1 - wrongly / replaced:.2f} |")
    return "\n".join(rows)


def main():
    near_misses = sum(not private for _, private in lines())
    print(f"{sum(1 for _ in lines())} lines, {near_misses} of them near misses\n\n{table()}")
    if "-v" in sys.argv[1:]:
        for text, missed in measured()[1]:
            print(f"\n{text}" + "".join(f"\n    missed: {one}" for one in missed))


if __name__ == "__main__":
    main()
