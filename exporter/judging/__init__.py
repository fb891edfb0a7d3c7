"""The judge at work: which traces it judges, and how far its verdicts can be trusted.

online       samples traces into jobs, and counts their verdicts
calibration  asks anchors, and decides by them whether verdicts count
gauges       what was measured of the judge, as metrics
feature      wires the online judge, its budget and its calibration
"""
