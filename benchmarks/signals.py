"""Measures the derived signals on labelled conversations: precision and recall of each, and what a turn costs.

python benchmarks/signals.py tests/conversations/*.yaml
"""

import argparse
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import yaml

from exporter.config.settings import FeedbackSettings
from exporter.evaluators import installed
from exporter.evaluators.panel import Panel
from exporter.feedback.derive import after, follows, question, turn
from exporter.metrics.labels import Slice
from exporter.model.trace import Trace

SIGNALS = ("regenerate", "rephrase", "abandon")
WHERE = Slice("shop", "/ask", "m-1", "7")
PAUSE = 30.0


def conversations(path):
    """Each conversation of a file: its language, its texts in order, the signals that it has."""
    for row in yaml.safe_load(path.read_text()):
        truth = row.pop("is")
        [(language, texts)] = row.items()
        yield language, texts, {truth} - {"none"} if isinstance(truth, str) else set(truth)


def traces(texts):
    """One trace for each text of the user; an answer that is not given is one that answers."""
    given = [*texts, None]
    asked = [(text, answer) for text, answer in pairwise(given) if not text.startswith(">")]
    for number, (text, answer) in enumerate(asked):
        said = f"In case {number} it is in the second drawer."
        if answer is not None and answer.startswith(">"):
            said = answer[1:].strip()
        failed = said[1:] if said.startswith("!") else None
        state = "error" if failed else "answered" if said else "empty"
        yield Trace(
            trace_id=f"{number + 1:032x}",
            question=text,
            answer=None if failed else said,
            content_state=state,
            error=failed,
            started_at=1.79e9 + PAUSE * number,
            duration_seconds=1.0,
        )


def signals(texts, panel, settings):
    """The signals of a conversation, in order; at its end nothing comes any more."""
    found, before = [], None
    for number, trace in enumerate(traces(texts)):
        now = turn(trace, WHERE, panel.evaluate(trace), number.to_bytes(16, "big"))
        if before is not None:
            signal = follows(before, now, alike=settings.similarity, words=settings.words)
            now = after(before, now, signal)
            found += [signal] if signal else []
        before = now
    return [*found, "abandon"] if before is not None and before.trouble else found


def measured(path, settings=None):
    """By signal the numbers of conversations: rightly found, wrongly found, missed; and which were wrong."""
    panel, settings = Panel({}, installed()), settings or FeedbackSettings()
    counted = {signal: Counter() for signal in SIGNALS}
    wrong = []
    for language, texts, truth in conversations(path):
        found = set(signals(texts, panel, settings))
        for signal in SIGNALS:
            counted[signal][(signal in truth, signal in found)] += 1
        if found != truth:
            wrong.append((language, sorted(truth), sorted(found), texts))
    return counted, wrong


def rates(counted):
    """Precision and recall of one signal, 1 where nothing was found, or nothing was there."""
    hits, false, missed = counted[True, True], counted[False, True], counted[True, False]
    return hits / (hits + false) if hits + false else 1.0, hits / (hits + missed) if hits + missed else 1.0


def cost(texts, rounds=20):
    """CPU microseconds in which a text is made what is kept of it."""
    begun = time.process_time()
    for _ in range(rounds):
        for text in texts:
            question(text)
    return (time.process_time() - begun) / rounds / len(texts) * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--wrong", action="store_true", help="show the conversations that were read wrongly")
    asked = parser.parse_args()
    for path in asked.files:
        rows = list(conversations(path))
        languages = Counter(language for language, _, _ in rows)
        print(f"{path.name}: {len(rows)} conversations ({', '.join(f'{n} {name}' for name, n in languages.items())})")
        counted, wrong = measured(path)
        for signal in SIGNALS:
            precision, recall = rates(counted[signal])
            hits, false, missed = (counted[signal][key] for key in ((True, True), (False, True), (True, False)))
            shares = f"precision {precision:.2f}  recall {recall:.2f}"
            print(f"  {signal:<11} {shares}  ({hits} right, {false} wrong, {missed} missed)")
        for one in wrong if asked.wrong else ():
            print("   ", *one)
    texts = [text for path in asked.files for _, said, _ in conversations(path) for text in said]
    print(
        f"a text: {cost(texts):.0f} us of CPU; of 100 000 characters: {cost(['Why does it not work? ' * 4546]):.0f} us"
    )


if __name__ == "__main__":
    main()
