# Needs Python 3.11 or newer and make; everything else is installed into .venv from the two lock files.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= data
SIZES ?= 10000 100000
N ?= 20
SECONDS ?= 30

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help serve test bench kill crowd agree lint venv lock clean

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1  \2/p' Makefile

serve: $(VENV)/.run ## install what answering needs, make ./data from the Vietnam pack once, serve on localhost:8000
	DIABA_DATA="$(DATA)" $(BIN)/diaba serve --host "$(HOST)" --port "$(PORT)"

test: $(VENV)/.dev ## run every test
	$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.dev ## measure answering, loading and searching at SIZES datasets
	$(BIN)/python -m tests.benchmarks $(SIZES)

kill: $(VENV)/.dev ## kill the owner and its workers N times at random moments, then look for what was lost
	$(BIN)/python -m tests.ground.kills $(N) $(ARGS)

crowd: $(VENV)/.dev ## let ten writers and fifty readers at one service for SECONDS, then check every answer
	$(BIN)/python -m tests.ground.crowd $(SECONDS) $(ARGS)

agree: $(VENV)/.dev ## hold our check of shapes against pySHACL's, with N random shapes, whole (hours)
	$(BIN)/python -m tests.agreement --seeds $(N) $(ARGS)

lint: $(VENV)/.dev ## check style (ruff) and types (mypy, strict on graph/)
	$(BIN)/ruff check .
	$(BIN)/mypy

venv: $(VENV)/.dev ## install everything, the tools of a developer included

# The lock is made anew from pyproject.toml: all extras and tools first, then the part that answering needs, held to the
# same versions. Neither file names an index, so pip takes the files from wherever it is set up to and checks the hashes.
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock" --quiet --upgrade
lock: $(VENV)/.dev ## choose the newest versions and write both lock files
	$(COMPILE) --all-extras --group build --group dev -o requirements-dev.lock
	$(COMPILE) --group build -c requirements-dev.lock -o requirements.lock

clean: ## remove the venv and what tools left behind; ./data stays
	rm -rf $(VENV) build dist tests/benchmarks/.cache *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The marks below hold the time of the last install: a second `make serve` starts at once.
# Wheels first, setuptools among them; then what comes as source is built with it, so that no unpinned builder is fetched.
$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(PIP) install --quiet --require-hashes --no-build-isolation -r requirements-dev.lock
	@touch $@
