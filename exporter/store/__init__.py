"""What is durable: journal, recorded traces, totals.

records     the rows, and the one error
sqlite      all the SQL
storefile   the file of an SQLite store: where it is, and that one process has it
sieve       "never recorded" without a look-up
writer      groups what waits into transactions
"""
