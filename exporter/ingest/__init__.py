"""From a request's body to the complete traces of applications.

port          the protocol between endpoints and the pipeline: who takes requests, and how it says "not now"
decoding      decodes small bodies here, large ones in a process of their own
backpressure  makes requests wait while what was taken before fills the memory
assembly      gathers a trace's parts, which arrive in several requests; bounded
patience      how long to wait for spans that are known to be missing
late_spans    which parts are late, because their trace was recorded already
split         the requests that the parts of one trace id tell of
"""
