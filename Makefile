# Every target does its own set-up. `make help` lists them.
PYTHON ?= python3
COMPOSE ?= docker compose
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_STAMP := $(VENV)/.installed-demo
DEV_STAMP := $(VENV)/.installed-dev
SDK_VENV := .venv-sdk
PEERS := .peers
KERNELS := $(shell find exporter -name '*.[ch]')
PIP := python -m pip install --quiet --disable-pip-version-check
DEBIAN := prometheus prometheus-alertmanager chromium postgresql

NO_KERNELS := "llmq is installed without its kernels in C: the same results, slower. They need a C compiler and Python's" \
  "headers (apt-get install gcc python3-dev); $(BIN)/pip install -v --no-deps -e . says what is missing."

# The packages of a lock, each checked against its hashes; then llmq, built with the setuptools of the lock. Kernels of an
# earlier build are removed first: they would be used where the new ones do not compile.
define install
	$(BIN)/$(PIP) --require-hashes --requirement $(1)
	@find exporter -name '*.so' -delete
	PYTHONWARNINGS=ignore $(BIN)/$(PIP) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import exporter.native._kernels' 2>/dev/null || echo $(NO_KERNELS)
endef

.PHONY: help run demo up down test test-pure test-peers test-lowest test-latest peers manifests show-manifests lint bench bench-rules captures tables schema-suite loop packages sdk lock dist clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "llmq needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "llmq needs Python's venv module: apt-get install python3-venv"; exit 1; }

$(STAMP): $(BIN)/python requirements.lock pyproject.toml $(KERNELS)
	$(call install,requirements.lock)
	@touch $@

$(DEMO_STAMP): $(BIN)/python requirements-demo.lock pyproject.toml $(KERNELS)
	$(call install,requirements-demo.lock)
	@touch $@ $(STAMP)

$(DEV_STAMP): $(BIN)/python requirements-dev.lock pyproject.toml $(KERNELS)
	$(call install,requirements-dev.lock)
	@touch $@ $(STAMP) $(DEMO_STAMP)

$(SDK_VENV)/.installed: tests/sdk/requirements-sdk.lock | $(BIN)/python
	@$(PYTHON) -m venv $(SDK_VENV)
	$(SDK_VENV)/bin/$(PIP) --require-hashes --requirement $<
	@touch $@

sdk: $(SDK_VENV)/.installed ## install the SDKs that the tests drive, in a virtual environment of their own

peers: $(PEERS)/.built ## build the Collector, Prometheus, Alertmanager, Helm and kubeconform from their Go modules

$(PEERS)/.built: tests/peers/build.sh tests/peers/otelcol.yaml $(wildcard tests/peers/*/*.go tests/peers/*/go.*)
	@command -v go >/dev/null || { echo "make test-peers needs Go 1.26 or newer, which builds what it runs (2 GB, 15 minutes)"; exit 1; }
	tests/peers/build.sh $(PEERS)
	@touch $@

packages: ## install the Debian packages that the tests run (needs root)
	@for tool in promtool amtool chromium; do command -v $$tool >/dev/null || missing=1; done; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || command -v postgres >/dev/null || missing=1; test -z "$$missing" || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(DEBIAN) >/dev/null; \
	  else echo "the tests need promtool, amtool, chromium and PostgreSQL: apt-get install $(DEBIAN)"; exit 1; fi

run: $(STAMP) ## start the exporter on its embedded default, http://127.0.0.1:4318
	$(BIN)/llmq serve

.env:
	@umask 077; $(PYTHON) -c 'import secrets; print("GRAFANA_ADMIN_PASSWORD=" + secrets.token_urlsafe(24))' > $@

# The containers' users read the file itself; nobody on this machine gets through the folder.
.secrets/postgres:
	@umask 077; mkdir -p $(@D); $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(24))' > $@; chmod 444 $@

up: .env .secrets/postgres ## start the whole stack in containers, Grafana on http://127.0.0.1:3000 (COMPOSE_PROFILES=demo: with traffic; scale: two replicas)
	$(COMPOSE) up --build --detach --wait

down: .env ## stop the containers; what they stored stays
	COMPOSE_PROFILES=demo,scale $(COMPOSE) down

demo: $(DEMO_STAMP) ## start a whole stack with live traffic and an incident; Ctrl-C ends it
	$(BIN)/llmq demo

test: $(DEV_STAMP) sdk packages lint ## run everything that must pass, on two cores
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-pure: export LLMQ_NO_EXTENSIONS := 1
test-pure: $(DEV_STAMP) sdk packages ## run the tests without the kernels in C
	$(BIN)/python -m pytest

test-peers: $(DEV_STAMP) peers ## run llmq with the real programs around it; needs Go
	$(BIN)/python -m pytest tests/peers

# Of the plain manifests: nothing that Helm says of itself, no rules and no dashboards, which have commands of their own.
show-manifests: $(PEERS)/.built
	@$(PEERS)/bin/helm template llmq deploy/helm/llmq --set prometheusRule.enabled=false --set dashboards.enabled=false \
	  2>/dev/null | sed -E '/helm.sh\/chart|managed-by|^# Source|^$$/d'

manifests: $(PEERS)/.built ## render deploy/kubernetes from the Helm chart
	@$(MAKE) --silent show-manifests > deploy/kubernetes/llmq.yaml

# The tests with versions other than the locked ones, in a virtual environment of their own.
define test-with
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-$(1)
	$(BUILD) | $(BIN)/uv pip compile --quiet --refresh --python .venv-$(1) --only-binary :all: --resolution $(2) --extra dev \
	  --output-file .venv-$(1)/requirements.txt pyproject.toml -
	$(BIN)/uv pip install --quiet --python .venv-$(1) --requirement .venv-$(1)/requirements.txt
	$(BIN)/uv pip install --quiet --python .venv-$(1) --no-deps --no-build-isolation --editable .
	.venv-$(1)/bin/python -m pytest
endef

test-lowest: $(DEV_STAMP) sdk packages ## run the tests with the lowest versions that pyproject.toml admits
	$(call test-with,lowest,lowest-direct)

test-latest: $(DEV_STAMP) sdk packages ## run the tests with the newest versions that pyproject.toml admits
	$(call test-with,latest,highest)

lint: $(DEV_STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

tables: $(DEV_STAMP) ## write the tables of metrics in exporter/metrics/README.md from their declarations
	$(BIN)/python tests/metrics_tables.py

captures: $(DEV_STAMP) ## what llmq reads from the real requests of 52 set-ups of instrumentations
	$(BIN)/python tests/captures/table.py

loop: ## take reviewed cases round promptfoo and Inspect and back (needs npm; downloads some hundred megabytes)
	@command -v npm >/dev/null || { echo "make loop needs npm: apt-get install npm"; exit 1; }
	@$(PYTHON) -m venv build/loop
	build/loop/bin/$(PIP) inspect-ai==0.3.285 pytest pyyaml hypothesis .
	npm install --silent --no-audit --no-fund --prefix build/loop promptfoo@0.121.20
	PATH="$$PWD/build/loop/node_modules/.bin:$$PATH" PROMPTFOO_DISABLE_TELEMETRY=1 PROMPTFOO_DISABLE_UPDATE=1 \
	  build/loop/bin/python tests/offline/close_loop.py

# The suite lies in the source archive of jsonschema, which the lock names with its hash.
build/schema-suite: $(DEV_STAMP)
	mkdir -p $@
	awk '/^jsonschema==/,!/\\$$/' requirements-dev.lock | sed 's/ ;.*\\/ \\/' > $@/requirements.txt
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary jsonschema --require-hashes --dest $@ --requirement $@/requirements.txt

schema-suite: build/schema-suite ## run the JSON-Schema-Test-Suite; what it lists as gaps stands in tests/schema_suite/gaps.yaml
	$(BIN)/python tests/schema_suite/run.py $</jsonschema-*.tar.gz

bench: $(DEV_STAMP) ## measure speed, beside a server that only parses what it is sent
	$(BIN)/python benchmarks/throughput.py

bench-rules: $(DEV_STAMP) packages ## simulate the burn alerts, and measure what the rules cost for 1,000 slices
	$(BIN)/python benchmarks/burn_rates.py
	$(BIN)/python benchmarks/rules_cost.py

dist: $(DEV_STAMP) ## build the sdist, and a wheel from it, into dist/
	$(BIN)/uv build --quiet --build-constraints requirements.lock --require-hashes --out-dir dist

# The packages that build llmq are locked with those that it needs.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-annotate --custom-compile-command 'make lock' $(UPGRADE)
BUILD = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'
UPGRADE ?= --upgrade

lock: $(DEV_STAMP) ## renew the locks; `make lock UPGRADE=` changes only what pyproject.toml asks for
	$(BUILD) | $(LOCK) --extra dev --output-file requirements-dev.lock pyproject.toml -
	$(BUILD) | $(LOCK) --extra demo --extra grpc --extra postgresql --constraint requirements-dev.lock --output-file requirements-demo.lock pyproject.toml -
	$(BUILD) | $(LOCK) --extra grpc --extra postgresql --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml -
	$(LOCK) --output-file tests/sdk/requirements-sdk.lock tests/sdk/requirements-sdk.txt

clean: ## forget the virtual environment and caches
	rm -rf $(VENV) $(SDK_VENV) $(PEERS) .venv-lowest .venv-latest build *.egg-info exporter/*.so exporter/*/*.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
