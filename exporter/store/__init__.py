"""What is durable: journal, recorded traces, totals, and what features keep.

kinds       every kind of stored value, its version, and how older ones are read
records     the rows, and the one error
search      what recorded answers are searched for by
sqlite/     the store on SQLite: the only SQL
in_work     what is being worked on, for the next process to know if it ends this one
quarantine  what ended the process, kept in files
"""
