# `make demo` needs Python 3.11 to 3.13 and make, nothing else: the first call makes .venv. `make test` also needs what
# `make tools` installs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# python3 if its version fits, else the newest that does. A shim that cannot run is passed over.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 \
	&& { echo "$$python"; break; }; done)
# uv does not read pip's configuration: hand over the index and the certificates that pip would use.
pip_setting = $(shell $(BIN)/python -m pip config get $(1) 2>/dev/null || true)
PACKAGES := schemas spans routing enrichment notifiers streams
TESTS ?= tests
# A broker each. Much of a test on a broker is waiting (for a session to end, a window to pass), so three share two cores
# well; in the order of the folders, so that the long ones come first.
WORKERS ?= 3

.PHONY: help
help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: $(VENV)/.ready ## See 200 leads routed on a real Kafka, then send one of your own
	@$(BIN)/leadstream demo

.PHONY: test
test: $(VENV)/.ready ## Run all tests (unit, contract, property, integration on a real broker)
	@# byte code ahead: a run starts hundreds of processes, and each would compile what has changed since the install
	@$(BIN)/python -m compileall -q $(PACKAGES) tests tools
	@# once a machine, before the workers start: the suite starts about 25 brokers; without it they only start slower
	-@$(BIN)/leadstream broker --prepare
	@$(BIN)/python -m pytest -m "not chaos" -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

.PHONY: check
check: $(VENV)/.ready ## Lint, types, import rules, declared dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

.PHONY: tools
tools: ## Install what the tests need of the system (Debian): Prometheus and Chromium
	@sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	got() { $$sudo apt-get update -qq && $$sudo apt-get install -qq --yes "$$@"; }; \
	command -v promtool >/dev/null && command -v prometheus >/dev/null || got --no-install-recommends prometheus; \
	command -v chromium >/dev/null || got chromium # with the fonts that it recommends

.PHONY: bench
bench: $(VENV)/.ready ## Throughput, latency, restore and memory, beside a bare copy loop
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: chaos
chaos: $(VENV)/.ready ## 100,000 leads, 20 kills: nothing lost, nothing doubled; then TIMERS alone (long)
	@$(BIN)/python -m tests.chaos --leads 100000 --kills 20 $(ARGS)
	@$(BIN)/python -m tests.chaos.timers --wakeups 100000 --minutes 5 --kills 10 --outage 120

.PHONY: broker
broker: $(VENV)/.ready ## Run a single-node Kafka on this machine until Ctrl-C
	@$(BIN)/leadstream broker

.PHONY: lock
lock: $(VENV)/.uv ## Resolve the dependencies anew into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra local --extra parquet --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --custom-compile-command "make lock" -o requirements.lock

.PHONY: clean
clean: ## Remove the virtual environment and what the tools left
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info

$(VENV)/.uv:
	@test -n "$(PYTHON)" || { echo "leadstream needs Python 3.11, 3.12 or 3.13 with venv; found none (Debian: apt-get install python3 python3-venv). Or say which: make PYTHON=/path/to/python"; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'
	@touch $@

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/.uv
	@echo "Installing into $(VENV) (once) ..."
	@index="$${PIP_INDEX_URL:-$(call pip_setting,global.index-url)}"; cert="$${PIP_CERT:-$(call pip_setting,global.cert)}"; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	if [ -n "$$cert" ] && [ -z "$${SSL_CERT_FILE:-}" ]; then export SSL_CERT_FILE="$$cert"; fi; \
	export UV_HTTP_TIMEOUT="$${PIP_DEFAULT_TIMEOUT:-120}"; \
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock \
	|| $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@# byte code ahead of the first start: a stage that compiles its imports takes a second longer to restart
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@touch $@
