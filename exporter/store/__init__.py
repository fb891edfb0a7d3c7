"""What is durable: journal, recorded traces, totals.

records       the rows, and the one error
sqlite        the store: what is read and written of recorded traces
journal       acknowledged requests until they are done with, in a file of their own
database      one SQLite file: opened with care, errors by reason
statements    all the SQL
migrations/   the schemas of each file, in order
upgrade       creates a file, upgrades it, or refuses it
check         what a file holds, and whether it is whole
kinds         every kind of stored value, its version, and how older ones are read
errors        what SQLite raises, in words of ours
in_work       what is being worked on, for the next process to know if it ends this one
quarantine    what ended the process, kept in files
storefile     the files of a store: where they are, and that one process has them
ballast       disk space that is kept for when the disk is full
seen_ids      a Bloom-style filter: answers "never recorded" without a look-up
writer        the one door for what is to be written
group_commit  requests that wait, one commit for many
executor      runs blocking calls on one thread, in order
spend_ledger  what the judge has spent
"""
