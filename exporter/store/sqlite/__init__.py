"""The store on SQLite: one file for traces and totals, one for the journal, one for what the judge has spent.

store         the files of one store, and what is written into them
rows          what is read
answers       searches recorded answers, in a thread and a connection of its own
journal       acknowledged requests until they are done with, in a file of their own
spend_ledger  what the judge has spent, in a file that several processes share
database      one SQLite file: opened with care, errors by reason
statements    the statements of the store and its journal
migrations/   the schemas of each file, in order
upgrade       creates a file, upgrades it, or refuses it
check         what a file holds, and whether it is whole
errors        what SQLite and the file system raise, as StoreError
files         where the files of a store are, and that one process has them
ballast       disk space that is kept for when the disk is full
seen_ids      a Bloom-style filter of recorded trace ids
"""
