"""What is durable: journal, recorded traces, totals, and what features keep.

port          what is asked of a store, whichever database is under it
opening       the store that a URL names
repositories  what is read and written of each kind of thing, in one unit of work
changes       what one unit of work writes
kinds         every kind of record: its struct, its table, its version, and how older ones are read
errors        the one error
search        what recorded answers are searched for by
sqlite/, postgresql/   the backends: the only SQL
threaded      what the writer asks of a backend whose driver blocks
writer        the one door through which such a store is written
group_commit  requests that wait, one commit for many
executor      runs blocking calls on one thread, in order
reads         reads of such a store without blocking the event loop
in_work       what is being worked on, for the next process to know if it ends this one
quarantine    what ended the process, kept in files
"""
