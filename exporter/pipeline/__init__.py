"""The order in which a trace passes its stations: durable, assembled, normalised, evaluated, recorded.

pipeline     the stations and their order
settings     what a reload can change
hooks        what the pipeline asks and tells the features
arrivals     journal entries into open traces, few parts at a time
scoring      complete traces → normalised, evaluated, recorded, with pauses for other work
recovery     takes up what an earlier run left in the journal; sets aside what ended the process
clock_jumps  notices when the machine's clock jumps
"""
