"""The judge at work: which traces it judges, and how far its verdicts can be trusted.

online       samples traces into jobs, and counts their verdicts
calibration  asks anchors, and decides by them whether verdicts count
history      what a judge version said of anchors and of production
gauges       what was measured of the judge, as metrics
feature      the class that takes part in an exporter: wires the judge, its budget and its calibration
"""
