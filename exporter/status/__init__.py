"""The status page, ``GET /``: what comes in, what is captured, what scores, what is wrong now.

feature  the page and its API, among the other features
summary  the last answers → what they say of each application and each evaluator
http     the handlers
page/    the page itself; static, holds no data
"""
