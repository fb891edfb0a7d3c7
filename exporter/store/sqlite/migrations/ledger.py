"""The schemas of the ledger of what judges have spent.

Several exporters share a ledger, and an older one may have it open while a newer one upgrades it: a change may only add
tables, and columns with defaults.
"""

from typing import Final

from .history import History

_TABLES: Final = """
CREATE TABLE spent(
  hour INTEGER NOT NULL, targeted INTEGER NOT NULL, tokens INTEGER NOT NULL, micros INTEGER NOT NULL,
  PRIMARY KEY(hour, targeted)) WITHOUT ROWID;
CREATE TABLE reserved(
  id INTEGER PRIMARY KEY AUTOINCREMENT, hour INTEGER NOT NULL, targeted INTEGER NOT NULL, tokens INTEGER NOT NULL,
  micros INTEGER NOT NULL);
"""

LEDGER: Final = History(
    application=0x6C6D7170,  # "lmqp" in ASCII
    called="ledger",
    cure="name another file in judge.budget.ledger",
    first=1,
    tables=_TABLES,
)
