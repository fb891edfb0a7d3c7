"""Runs `llmq` and says where its CPU time goes: every few milliseconds of it, who runs, and who called them.

As `python benchmarks/sampled.py FILE serve ...`; the report is written to FILE when the command ends. The functions are
those of the main thread, and what C code costs is counted to its caller.
"""

import signal
import sys
import time
from collections import Counter
from pathlib import Path

from exporter.cli.main import main

EVERY_SECONDS = 0.002
SHOWN = 45


class Sampler:
    def __init__(self) -> None:
        self.alone: Counter[str] = Counter()
        self.with_callees: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()

    def __call__(self, _signal: int, frame) -> None:
        self.alone[name(frame)] += 1
        self.lines[f"{name(frame)}:{frame.f_lineno}"] += 1
        seen = set()
        while frame is not None:
            seen.add(name(frame))
            frame = frame.f_back
        self.with_callees.update(seen)

    def report(self) -> str:
        all_samples = max(1, self.alone.total())
        parts = [
            f"{title} (% of {all_samples} samples)\n"
            + "".join(f"{100 * count / all_samples:6.1f}  {what}\n" for what, count in counts.most_common(SHOWN))
            for title, counts in (
                ("function, with all that it calls", self.with_callees),
                ("function alone, with the C code that it calls", self.alone),
                ("line", self.lines),
            )
        ]
        return "\n".join(parts)


def name(frame) -> str:
    code = frame.f_code
    return f"{'/'.join(Path(code.co_filename).parts[-2:])}:{code.co_qualname}"


def threads() -> str:
    """CPU seconds of the main thread, which this is, and of all others together."""
    main_thread, process = time.thread_time(), time.process_time()
    return f"CPU: {main_thread:.2f} s in the main thread, {process - main_thread:.2f} s in others\n"


if __name__ == "__main__":
    report_file = Path(sys.argv.pop(1))
    sampler = Sampler()
    signal.signal(signal.SIGPROF, sampler)
    signal.siginterrupt(signal.SIGPROF, False)
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    code = main()
    signal.setitimer(signal.ITIMER_PROF, 0)
    report_file.write_text(f"{threads()}\n{sampler.report()}")
    sys.exit(code)
