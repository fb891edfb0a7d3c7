"""The command line; with the demo the only place that prints.

main     the parser and most commands
suites   eval, offline push, review
store    store check
forget   forget
judge    judge probe
console  how commands speak: what is printed where, progress, exit codes
"""
