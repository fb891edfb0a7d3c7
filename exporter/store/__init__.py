"""What is durable: journal, recorded traces, totals, and what features keep.

port          what is asked of a store, whichever database is under it
opening       the store that a URL names
repositories  what is read and written of each kind of thing, in one unit of work
changes       what one unit of work writes
kinds         every kind of record: its struct, its table, its version, and how older ones are read
errors        the one error
search        what recorded answers are searched for by
sqlite/, postgresql/   the backends: the only SQL
threaded      the protocol of a backend whose driver blocks
writer        schedules all writes of such a store: journal entries, units of work, pruning
group_commit  requests that wait, one commit for many
executor      runs blocking calls on one thread, in order
spending      the judge's ledger in such a store
searching     searches of recorded answers in such a store
reads         reads of such a store without blocking the event loop
in_work       marks of what is being processed, so that after a crash the next process knows the cause
quarantine    requests and traces that crashed the process, kept in files
"""
