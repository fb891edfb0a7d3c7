"""The store on PostgreSQL 14 or newer: what the port promises, in a schema of its own that several replicas share.

store         recorded traces, records, totals, and what of them is written
journal       acknowledged requests until they are done with
rows          what is read
answers       searches of recorded answers
connection    one connection, opened again after it was lost; errors in words of ours
spend_ledger  what the judge has spent
lease         that one process alone writes as a replica
statements    the SQL that is put together for each kind of record
migrations    how the schema became what it is
"""
