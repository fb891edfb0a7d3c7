"""Recorded answers for people and tools: the list of those that fit a filter, and each with everything said of it.

feature  the API and the pages, among the other features
query    the parameters of a request → what is searched for, each error with its cure
view     a stored document → what is shown of it
http     the handlers: an API with the role read, and a page
page/    the page itself; static, holds no data
"""
