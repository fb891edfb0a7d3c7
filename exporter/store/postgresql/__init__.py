"""The store on PostgreSQL 14 or newer: implements the port in a schema of its own that several replicas share.

store         recorded traces, records, totals, and how they are written
journal       acknowledged requests until they are processed
rows          blocking reads
answers       searches of recorded answers
connection    one connection, reopened after it was lost; driver errors as StoreError
spend_ledger  what the judge has spent
lease         ensures that one process writes as a replica
statements    SQL generated for each kind of record
migrations    schema migrations
"""
