"""Schema migrations of each SQLite file: the first schema, and every change since, in order.

store      recorded traces, records, totals
journal    acknowledged requests
ledger     what the judge has spent
history    the types of a change and of a schema's history

A new file is made by the same steps as an old one is upgraded, so there is one schema and not two. To change a schema,
append a ``Change``; never edit one that was released. Files written by each version stand in ``tests/stores``: write
one with ``tests/stores/write.py`` for each new version.
"""
