"""How each of our SQLite files became what it is: the tables that it began with, and every change since, in order.

store      recorded traces, objects, totals
journal    acknowledged requests
ledger     what the judge has spent
history    what a change is

A new file is made by the same steps as an old one is upgraded, so there is one schema and not two. To change a schema,
append a ``Change``; never edit one that was released. Files written by each version stand in ``tests/stores``: write
one with ``tests/stores/write.py`` for each new version.
"""
