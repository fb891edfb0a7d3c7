"""The same evaluators without a server: captured traces (replay), suites of rows (dataset), printed (report)."""
