"""What any long-running process needs; knows nothing of LLMs.

clock      monotonic time, whatever the machine's clock is set to
log        one line an event, none that quotes what a client sent, few of each kind
isolation  runs work that may crash in a forked copy of the process
os_errors  messages for errors of the operating system
mismatch   messages for values of a wrong type
"""
