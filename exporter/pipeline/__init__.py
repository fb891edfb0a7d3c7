"""The stages of a trace, in order: durable, assembled, normalised, evaluated, recorded.

pipeline     the stages and their order
settings     what a reload can change
hooks        the callbacks through which the pipeline calls the features
arrivals     adds the spans of journal entries to open traces, in small steps
scoring      complete traces → normalised, evaluated, recorded, yielding to other work
recovery     replays the journal of an earlier run; sets aside what crashed the process
clock_jumps  detects jumps of the machine's clock
"""
