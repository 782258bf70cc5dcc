# Needs make and Python 3.11 or newer; uses uv when it is there. `make` alone shows what there is to do.

PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null)
BIN := .venv/bin
PROGRAM := .venv/.program
TESTS := .venv/.tests
CHROMIUM ?= /usr/bin/chromium
WHOLE := gate road store tenant
comma := ,
space := $(subst ,, )

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lint types cover faults questions schemathesis inspector generate bench page explore mutants fuzz attack canary race shell lock clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(PROGRAM) ## put the program into .venv, exactly as requirements.lock pins it

demo: $(PROGRAM) ## watch an agent's session on a sample tenant; ASK=1: answer its questions yourself
	@$(BIN)/molecule-mcp demo $(if $(ASK),--ask)

test: lint types cover ## lint, types, and all tests with coverage

lint: $(TESTS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TESTS)
	$(BIN)/pyright

cover: $(TESTS)
	$(BIN)/pytest --numprocesses auto --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --skip-covered
	@echo "Every branch of $(WHOLE):"
	$(BIN)/coverage report --skip-covered --show-missing --fail-under=100 --include='$(subst $(space),$(comma),$(WHOLE:%=src/molecule_mcp/%/*))'

faults: $(TESTS) ## every tool against every way for a tenant to fail; takes some minutes
	$(BIN)/pytest --numprocesses auto --dist worksteal --durations 0 --durations-min 1 tests/calls/every_fault.py

questions: $(TESTS) ## what people ask, answered over a real client; SHOW=1: with the answers
	@$(BIN)/python -m tests.calls.questions $(if $(SHOW),--show)

schemathesis: $(TESTS) ## generated requests to the embedded tenant, held against the contract; takes some minutes
	$(BIN)/python -m tests.contract.schemas 50

inspector: $(TESTS) ## list and call tools with the MCP Inspector over stdio and HTTP; needs npm
	$(BIN)/python -m tests.calls.inspector

generate: $(PROGRAM) ## write tool_schemas/, reference pages and the shipped catalogue from the tools
	$(BIN)/python -m molecule_mcp.cli.generate

bench: $(TESTS) ## measure against a bare server, as ratios
	$(BIN)/python -m benchmarks

explore: $(TESTS) ## every order of what can happen to the gate, random histories, and sown faults that both must find
	$(BIN)/python -m tests.explore.search --depth 6
	$(BIN)/python -m tests.explore.machine --examples 1000
	$(BIN)/python -m tests.explore.mutants
	$(BIN)/python -m tests.explore.mutants --machine

mutants: $(TESTS) ## small faults sown into gate, paths, permits, store and road, which their tests must find; ROOM=gate: one of them
	$(BIN)/python -m tests.mutation --show $(ROOM)

fuzz: $(TESTS) ## 100,000 generated calls over all tools: what leaves is on a route of its own tool
	$(BIN)/python -m tests.attacks.fuzz --calls 100000

attack: $(TESTS) ## an agent that obeys whatever it reads, on a tenant full of injections; then once more without the gate
	$(BIN)/python -m tests.attacks.obedient

canary: $(TESTS) ## secret values that the tenant repeats everywhere: none comes out, by any tool, under any fault
	$(BIN)/python -m tests.canary.run

race: $(TESTS) ## one grant used by 8 processes at once, children born too late, 150 processes killed at a claim, send or outcome
	$(BIN)/python -m tests.race

shell: $(TESTS) ## a program of the same user with script, expect, curl and the store's file: it makes no yes of its own
	@command -v expect >/dev/null || { apt-get update -qq && apt-get install -qq --yes --no-install-recommends expect; } || { \
	    echo "make shell needs expect: install Debian's package expect" >&2; exit 1; }
	$(BIN)/python -m tests.shell

page: $(TESTS) ## drive the page for people in Chromium (Debian's, and npm): every state, axe, docs/images
	@test -x $(CHROMIUM) || { apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium; } || { \
	    echo "make page needs Chromium: install Debian's package chromium, or name another: CHROMIUM=PATH" >&2; exit 1; }
	@cd tests/page && npm ci --silent --no-audit --no-fund
	CHROMIUM=$(CHROMIUM) node tests/page/check.mjs

lock: ## pin pyproject.toml's dependencies anew (needs uv); UPGRADE=1: to the newest versions
	@test -n "$(UV)" || { echo "make lock needs uv on PATH" >&2; exit 1; }
	@$(call pinned,requirements.lock,--group build)
	@$(call pinned,requirements-dev.lock,--constraint requirements.lock --group build --group dev)

clean: ## remove what builds and tests leave behind; .venv stays
	rm -rf build dist .coverage* .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The file, then what it is made of. No address gets into it: whoever installs brings a package index of their own.
pinned = $(UV) pip compile pyproject.toml $(2) --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --quiet \
    $(if $(UPGRADE),--upgrade) --output-file $(1)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "molecule-mcp needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)" >&2; \
	    echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(if $(UV),$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv,$(PYTHON) -m venv .venv)

# --no-deps and --no-build-isolation: nothing but what a lock names, its build tool included, is ever fetched, and no
# resolver of an old pip stumbles over an extra (coverage[toml]) that the lock has resolved.
$(PROGRAM): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the program into .venv"
	@$(call installed,--no-deps --require-hashes --requirement requirements.lock)
	@$(call installed,--no-deps --no-build-isolation --editable .)
	@$(BIN)/python -m compileall -q src/molecule_mcp
	@touch $@

$(TESTS): requirements-dev.lock $(PROGRAM)
	@echo "Installing what its tests need"
	@$(call installed,--no-deps --require-hashes --requirement requirements-dev.lock)
	@touch $@

ifdef UV
installed = $(UV) pip install --quiet --python $(BIN)/python --compile-bytecode $(1)
else
# A .venv made by uv holds no pip.
installed = $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
    $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input $(1)
endif
