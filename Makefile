# Every target makes the environment it needs; there is no step outside this file.
#   PYTHON=…  the interpreter to build the environment with (3.11 or later; found on PATH if not given)
#   VENV=…    the folder of the environment

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV ?= .venv
LOCK ?= requirements/dev.lock
BIN := $(VENV)/bin
PY := $(BIN)/python
ARGS ?=

is_new_enough := import sys; sys.exit(sys.version_info < (3, 11))
ifeq ($(origin PYTHON), undefined)
# Tried by running them: a name on PATH may be a shim of a version that is not installed.
PYTHON = $(or $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(is_new_enough)' >/dev/null 2>&1 && echo $$python && break; done), \
	$(error robotape needs Python 3.11 or later on PATH; or say which: make PYTHON=...))
endif

# pip runs without asking or reporting home.
PIP_INSTALL = $(PY) -m pip --disable-pip-version-check --no-input install --quiet

.PHONY: help env demo test suite bench campaign docs lint format clean lock test-latest test-pythons \
	check-fresh check-determinism test-postgres test-redis test-clients

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1#/p' Makefile | awk -F'#' '{ printf "%-26s%s\n", $$1, $$2 }'

# -- the environment -----------------------------------------------------------------------------

# From the lock alone, so that tomorrow's release of a dependency cannot break today's checkout.
# Made anew when the lock changes: an update in place would keep what the lock no longer names.
$(VENV)/locked: $(LOCK)
	@echo "make: creating $(VENV) from $(LOCK)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) --require-hashes -r $(LOCK)
	@touch $@

# --no-deps: the lock has the fork of aioresponses, which pip would not take for the one the extra names.
$(VENV)/ready: $(VENV)/locked pyproject.toml
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

env: $(VENV)/ready ## create the environment; every other target does it by itself

# -- what a newcomer runs ------------------------------------------------------------------------

demo: $(VENV)/ready ## break a real agent, show why, and see the repaired one pass
	@$(PY) fixtures/demo.py $(ARGS)

# One after the other, also under `make -j`: the first failure is the last thing on the screen.
test: $(VENV)/ready ## linters, types, import contracts, docs examples, the whole suite
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory suite

# Over all processors, a file to each: the suite is many small processes that wait for one another.
SPREAD ?= -n auto --dist loadfile

# -- parts of it ---------------------------------------------------------------------------------

# The suite holds the examples of README, docs and docstrings too: see conftest.py.
suite: $(VENV)/ready ## the tests alone; ARGS='-k retry' passes options to pytest
	@$(PY) -m pytest $(SPREAD) $(ARGS)

lint: $(VENV)/ready ## ruff, mypy --strict, import contracts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(BIN)/lint-imports

format: $(VENV)/ready ## rewrite the source the way lint wants it
	@$(PY) -m ruff check --fix-only .
	@$(PY) -m ruff format .

docs: $(VENV)/ready ## run every example in README and docs, check every link and command
	@$(PY) -m pytest tests/test_docs.py README.md CONTRIBUTING.md docs $(ARGS)

bench: $(VENV)/ready ## measure, against a floor in the same run
	@$(PY) tests/bench/run.py $(ARGS)

# -- slower checks -------------------------------------------------------------------------------

check-fresh: $(VENV)/ready ## clone HEAD, empty HOME and environment, run the README's commands there
	@$(PY) tests/checks/fresh.py $(ARGS)

check-determinism: $(VENV)/ready ## same seed, same bytes: across processes and hash seeds
	@$(PY) tests/checks/determinism.py $(ARGS)

campaign: $(VENV)/ready ## hunt every planted agent of fixtures/defects; no sound twin may be accused
	@$(PY) tests/checks/defects.py $(ARGS)

test-postgres: $(VENV)/ready ## the tape store's tests against a PostgreSQL server, installed if missing
	@$(PY) tests/servers/postgres.py --install -- $(PY) -m pytest tests/robotape/storage $(ARGS)

test-redis: $(VENV)/ready ## the cache's tests against a Redis server, installed if missing
	@$(PY) tests/servers/redis_server.py --install -- $(PY) -m pytest tests/robotape/cache $(ARGS)

test-clients: $(VENV)/ready ## the HTTP seam beside the oldest and newest clients it supports
	@$(PY) tests/checks/clients.py $(ARGS)

test-clients: $(VENV)/ready ## the HTTP seam beside the oldest and newest clients it supports
	@$(PY) tests/checks/clients.py $(ARGS)

test-pythons: $(VENV)/ready ## the suite under every Python 3.11-3.14 found here
	@$(PY) tests/checks/pythons.py $(ARGS)

# -- the lock ------------------------------------------------------------------------------------

# pyproject.toml and its extras are the source; dev.in adds what only this repository needs. No index and
# no local folder of this machine gets into the file; tests/test_setup.py looks.
resolve = @$(PYTHON) -m venv --clear $(VENV)-uv \
	&& $(VENV)-uv/bin/python -m pip --disable-pip-version-check install --quiet uv \
	&& env -u UV_FIND_LINKS -u UV_CUSTOM_COMPILE_COMMAND $(VENV)-uv/bin/uv pip compile --quiet --no-config --upgrade \
		--universal --generate-hashes --python-version 3.11 --custom-compile-command 'make lock' \
		--all-extras --excludes requirements/excludes.in --output-file $(1) \
		pyproject.toml requirements/dev.in \
	&& rm -rf $(VENV)-uv

lock: ## resolve the newest dependencies into requirements/dev.lock
	$(call resolve,requirements/dev.lock)

test-latest: ## the suite with the newest release of every dependency
	@mkdir -p build
	$(call resolve,build/latest.lock)
	@$(MAKE) --no-print-directory VENV=.venv-latest LOCK=build/latest.lock suite

clean: ## remove environments, builds and caches; findings in .robotape stay
	rm -rf .venv .venv-* build dist .benchmarks .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
