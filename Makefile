# Two commands: `make run` sets everything up and serves; `make test` runs every test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run setup test check browser docs

run: setup
	$(BIN)/bedside serve

setup: $(VENV)/.run
	$(BIN)/bedside setup

test: $(VENV)/.test browser
	@echo "== the demo model, for the tests that need a real one (skipped where it cannot be had)"
	-$(BIN)/bedside setup --skip-knowledge
	$(BIN)/python -m pytest

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.test
	$(BIN)/bedside settings > docs/configuration.md
	$(BIN)/bedside reference > docs/cli.md

browser:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "== Chromium and a CJK font, for the browser tests"; \
	  apt-get update -q >/dev/null && apt-get install -y -q chromium fonts-noto-cjk >/dev/null || \
	  echo "No Chromium could be installed: the browser tests will be skipped."; \
	else \
	  echo "No Chromium here: the browser tests will be skipped (apt-get install chromium fonts-noto-cjk)."; \
	fi

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e .
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.run
