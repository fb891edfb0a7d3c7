"""What is durable: journal, recorded traces, totals, and what features keep.

port          what is asked of a store, whichever database is under it
opening       the store that a URL names
repositories  what is read and written of each kind of thing, in one unit of work
changes       what one unit of work writes
kinds         every kind of record: its struct, its table, its version, and how older ones are read
errors        the one error
search        what recorded answers are searched for by
sqlite/       the store on SQLite: the only SQL
in_work       what is being worked on, for the next process to know if it ends this one
quarantine    what ended the process, kept in files
"""
