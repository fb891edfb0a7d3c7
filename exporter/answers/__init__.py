"""Recorded answers for people and tools: a list with filters, and each answer with its verdicts, feedback and labels.

feature  the API and the pages, as a feature
query    the parameters of a request → a query, each error with its cure
view     a stored document → what is shown of it
http     the handlers: an API with the role read, and a page
page/    the page itself; static, holds no data
"""
