"""What any long-running process needs; knows nothing of LLMs.

clock      monotonic time, whatever the machine's clock is set to
log        one line an event, none that quotes what a client sent, few of each kind
isolation  tries work in a copy of the process, which ends in its place
os_errors  what the operating system refused, in words of ours
mismatch   why a value is refused by its type, in words of ours
"""
