"""The status page, ``GET /``: traffic, captured fields, scores, and current problems.

feature  the page and its API, as a feature
summary  the last answers → a summary of each application and each evaluator
http     the handlers
page/    the page itself; static, holds no data
"""
