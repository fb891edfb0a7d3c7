"""The schemas of the journal: acknowledged requests until they are processed.

Its entries are bodies as they were sent, and for the signals "review" and "forget" JSON of our own
(``review/requests.py``, ``records/erasure.py``). Whoever changes that JSON, or the meaning of a column, adds a change
that rewrites stored rows (``then``).
"""

from typing import Final

from .history import History

_TABLES: Final = """
CREATE TABLE journal(
  seq INTEGER PRIMARY KEY, received_at REAL NOT NULL, signal TEXT NOT NULL, media_type TEXT NOT NULL,
  encoding TEXT NOT NULL, body BLOB NOT NULL);
"""

# Its pages are large, as bodies are: a page costs two writes into the WAL and one out of it, whatever its size.
JOURNAL: Final = History(
    application=0x6C6C6D6A,  # "llmj" in ASCII
    called="journal",
    cure="name another store",
    first=1,
    tables=_TABLES,
    page=16384,
)
