# Needs make and Python 3.11 or newer, nothing else; with a C compiler and the headers of Python, detectors are compiled. uv is used when it is on PATH, only because it is quicker.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3 python3.13 python3.12 python3.11
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

# What was done last, so that a later run does not do it again.
VENV_STAMP := $(VENV)/.made
RUN_STAMP := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test

ifdef UV
INSTALL := uv pip install --quiet --python $(BIN)/python
else
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
endif

# For all systems and all Pythons from the oldest one on; without the names of indexes and paths of this machine.
COMPILE := .uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: compiled ## install what is needed, then run the demo
	@$(BIN)/wince demo

.PHONY: test
test: lint ## install what is needed, then check style and types and run all tests
	$(BIN)/pytest

.PHONY: faults
faults: $(TEST_STAMP) compiled ## kill and starve workers and servers for minutes, count what is lost
	nice $(BIN)/python -m tests.faults $(FAULTS)
	WINCE_TEST_ALERT_KILLS=25 WINCE_TEST_ALERT_FAULTS=36 WINCE_TEST_ALERT_SECONDS=240 nice $(BIN)/pytest -q -o faulthandler_timeout=3600 \
		tests/alerts/test_exactly_once.py tests/alerts/test_many_faults.py

.PHONY: lint
lint: $(TEST_STAMP) compiled ## check style and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: $(TEST_STAMP) ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: compiled ## measure speed
	$(BIN)/wince bench

.PHONY: privacy
privacy: $(TEST_STAMP) compiled ## plant secrets in random visits and search everything that is written (two minutes)
	@$(BIN)/python -m tests.privacy $(PRIVACY)

# Decides by what is in the sources, not by their times: whoever changes branches back and forth gets old times.
.PHONY: compiled
compiled: $(RUN_STAMP) ## compile detectors in this folder, unless that was done (WINCE_COMPILE=never: make them pure)
	@$(BIN)/python hatch_build.py

.PHONY: pure
pure: ## remove what was compiled
	find detectors engine replay schemas -name '*.so' -delete
	rm -f wince_*.so

.PHONY: lock
lock: .uv/bin/uv ## pin the newest allowed versions of all dependencies
	$(COMPILE) --upgrade --extra traces --extra pictures --group dev --output-file requirements/dev.txt
	@cp requirements/dev.txt requirements/run.txt # what is pinned there is preferred, so that they never differ
	$(COMPILE) --group build --output-file requirements/run.txt
	@cp requirements/dev.txt requirements/traces.txt
	$(COMPILE) --extra traces --group build --output-file requirements/traces.txt
	@cp requirements/dev.txt requirements/pictures.txt
	$(COMPILE) --extra pictures --group build --output-file requirements/pictures.txt

.PHONY: clean
clean: pure ## remove everything the other targets made
	rm -rf $(VENV) .uv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV_STAMP):
	@python=$$(scripts/choose-python $(PYTHON)) && echo "Making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV)
	@touch $@

$(RUN_STAMP): requirements/run.txt pyproject.toml | $(VENV_STAMP)
	@echo "Installing what Wince needs to run (the first time takes a minute)"
	@$(INSTALL) --require-hashes --requirement requirements/run.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(TEST_STAMP): requirements/dev.txt pyproject.toml | $(VENV_STAMP)
	@echo "Installing what Wince needs to be tested (the first time takes a minute)"
	@$(INSTALL) --require-hashes --requirement requirements/dev.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(RUN_STAMP)

.uv/bin/uv:
	@python=$$(scripts/choose-python $(PYTHON)) && "$$python" -m venv .uv && .uv/bin/pip install --quiet uv
