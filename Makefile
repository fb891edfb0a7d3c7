# Every target does its own set-up. `make help` lists them.
PYTHON ?= python3
COMPOSE ?= docker compose
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.installed-demo
DEV_STAMP := $(VENV)/.installed-dev
SDK_VENV := .venv-sdk
KERNELS := $(wildcard exporter/*.[ch] exporter/*/*.[ch])
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
DEBIAN := prometheus prometheus-alertmanager chromium

.PHONY: help run demo up down test lint bench bench-rules captures packages sdk clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "llmq needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "llmq needs Python's venv module: apt-get install python3-venv"; exit 1; }

$(STAMP): $(BIN)/python pyproject.toml $(wildcard exporter/*/*.[ch])
	$(PIP) -e .
	@touch $@

$(DEMO_STAMP): $(BIN)/python pyproject.toml $(wildcard exporter/*/*.[ch])
	$(PIP) -e '.[demo]'
	@touch $@ $(STAMP)

$(DEV_STAMP): $(BIN)/python pyproject.toml $(wildcard exporter/*/*.[ch])
	$(PIP) -e '.[dev]'
	@touch $@ $(STAMP) $(DEMO_STAMP)

$(SDK_VENV)/.installed: tests/sdk/requirements-sdk.txt | $(BIN)/python
	@$(PYTHON) -m venv $(SDK_VENV)
	$(SDK_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

sdk: $(SDK_VENV)/.installed ## install the SDKs that the tests drive, in a virtual environment of their own

packages: ## install the Debian packages that the tests run (needs root)
	@for tool in promtool amtool chromium; do command -v $$tool >/dev/null || missing=1; done; test -z "$$missing" || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEBIAN) >/dev/null; \
	  else echo "the tests need promtool, amtool and chromium: apt-get install $(DEBIAN)"; exit 1; fi

run: $(STAMP) ## start the exporter on its embedded default, http://127.0.0.1:4318
	$(BIN)/llmq serve

.env:
	@umask 077; $(PYTHON) -c 'import secrets; print("GRAFANA_ADMIN_PASSWORD=" + secrets.token_urlsafe(24))' > $@

up: .env ## start the whole stack in containers, Grafana on http://127.0.0.1:3000 (COMPOSE_PROFILES=demo: with traffic)
	$(COMPOSE) up --build --detach --wait

down: .env ## stop the containers; what they stored stays
	COMPOSE_PROFILES=demo $(COMPOSE) down

demo: $(DEMO_STAMP) ## start a whole stack with live traffic and an incident; Ctrl-C ends it
	$(BIN)/llmq demo

test: $(DEV_STAMP) sdk packages lint ## run everything that must pass
	$(BIN)/python -m pytest

lint: $(DEV_STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

captures: $(DEV_STAMP) ## what llmq reads from the real requests of 25 set-ups of instrumentations
	$(BIN)/python tests/captures/table.py

bench: $(DEV_STAMP) ## measure speed, beside a server that only parses what it is sent
	$(BIN)/python benchmarks/throughput.py

bench-rules: $(DEV_STAMP) packages ## simulate the burn alerts, and measure what the rules cost for 1,000 slices
	$(BIN)/python benchmarks/burn_rates.py
	$(BIN)/python benchmarks/rules_cost.py

clean: ## forget the virtual environment and caches
	rm -rf $(VENV) $(SDK_VENV) build *.egg-info exporter/*.so exporter/*/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
