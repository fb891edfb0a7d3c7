"""The running judge: which traces it judges, and how far its verdicts can be trusted.

online       samples traces into jobs, and counts their verdicts
calibration  has the judge score anchors, and decides by them whether its verdicts count
history      past verdicts of a judge version → its current measures
gauges       measures of the judge as metrics
feature      wires the online judge, its budget and its calibration into the exporter
"""
