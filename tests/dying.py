"""``llmq`` that is ended where it works on a certain text, as native code or the kernel may end it.

python dying.py STAGE ARGUMENTS-OF-LLMQ, with the text in the environment as POISON and the id of its trace as TRACE_ID.
With WITH_PARENT=1 a copy of the process that is ended takes its parent with it, as a container that is out of memory.
"""

import os
import signal
import sys

from exporter.cli.main import main
from exporter.evaluators.panel import Panel
from exporter.feedback.join import FeedbackJoin
from exporter.ingest import decoding
from exporter.ingest.assembly import Assembler
from exporter.pipeline import pipeline, recovery
from exporter.store.sqlite.store import SqliteStore

POISON, TRACE_ID = os.environ["POISON"], bytes.fromhex(os.environ["TRACE_ID"])
MAIN = os.getpid()


def end_if(found):
    if found:
        if os.getpid() != MAIN and os.environ.get("WITH_PARENT"):
            os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def ended(owner, name, is_poison):
    """Have a function end the process where its arguments are poison."""
    original = getattr(owner, name)

    def dying(*arguments, **options):
        end_if(is_poison(*arguments))
        return original(*arguments, **options)

    setattr(owner, name, dying)


def in_body(_signal, _media_type, body, *_):
    return POISON.encode() in body


def in_spans(_self, _seq, spans, *_):
    return any(POISON in str(dict(span.attributes)) for span in spans)


def in_trace(_self, traces):
    return any(POISON in (trace.answer or "") for trace in traces)


STAGES = {
    "read": (decoding, "decode", in_body),
    "decode": (recovery, "decode", in_body),
    "assemble": (Assembler, "add", in_spans),
    "late": (pipeline, "late_trace", lambda late, *_: POISON in str([dict(span.attributes) for span in late.spans])),
    "normalise": (pipeline, "normalise", lambda _id, spans, *_: POISON in str([dict(s.attributes) for s in spans])),
    "evaluate": (Panel, "session", in_trace),
    "record": (pipeline, "encoded", lambda trace, *_: POISON in (trace.answer or "")),
    "commit": (SqliteStore, "commit", lambda _self, it: any(row.trace_id == TRACE_ID for row in it.traces)),
    "feedback": (FeedbackJoin, "take", lambda _self, entry, _asked: POISON.encode() in entry.body),
    "nowhere": (pipeline, "normalise", lambda *_: False),
}

if __name__ == "__main__":
    ended(*STAGES[sys.argv[1]])
    sys.exit(main(sys.argv[2:]))
