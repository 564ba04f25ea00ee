# Two commands: `make run` sets everything up and serves; `make test` runs every test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# PyTorch and NNCF, beside what $(VENV) has: Transformers needs older packages than the program.
TRAIN := $(VENV)-train
WORKERS ?= 2
TEST_FILES_OF_TRAIN = $(shell grep -rl --include='*.py' 'pytest\.mark\.train' tests)
ONLY_OF_TRAIN = $(shell grep -rl --include='*.py' '^pytestmark = pytest\.mark\.train' tests)

# Many tests start the program anew: what it imports is compiled once.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup test test-all-but-train test-train train-environment check browser postgresql docs

run: setup
	$(BIN)/bedside serve

setup: $(VENV)/.run
	$(BIN)/bedside setup

test: test-all-but-train train-environment
	$(MAKE) test-train

test-all-but-train: $(VENV)/.test browser postgresql
	@echo "== the demo model, for the tests that need a real one (skipped where it cannot be had)"
	-$(BIN)/bedside setup --skip-knowledge
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not train" $(ONLY_OF_TRAIN:%=--ignore=%)

train-environment: $(TRAIN)/.test

test-train: $(TRAIN)/.test
	$(TRAIN)/bin/python -m pytest -n $(WORKERS) --dist loadgroup -m train $(TEST_FILES_OF_TRAIN)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.test
	$(BIN)/bedside settings > docs/configuration.md
	$(BIN)/bedside reference > docs/cli.md

# $(call install,PROGRAM THAT IS THERE,PACKAGES,WHOSE TESTS)
define install
	@$(1) || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "== $(2), for the $(3) tests"; \
	  apt-get update -q >/dev/null && apt-get install -y -q $(2) >/dev/null || \
	  echo "Not installed: the $(3) tests will be skipped."; \
	else \
	  echo "The $(3) tests will be skipped (apt-get install $(2))."; \
	fi
endef

browser:
	$(call install,{ command -v chromium || command -v chromium-browser; } >/dev/null 2>&1,chromium fonts-noto-cjk,browser)

# After the browser: one apt-get at a time.
postgresql: | browser
	$(call install,{ command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1,postgresql,PostgreSQL)

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[ocr,imaging,interop,rare]'
	touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.run

$(TRAIN)/.test: $(VENV)/.test requirements-train.txt
	$(PYTHON) -m venv $(TRAIN)
	echo "import site; site.addsitedir('$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')')" \
	  > "$$($(TRAIN)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/borrowed.pth"
	$(TRAIN)/bin/python -m pip install --disable-pip-version-check --progress-bar on -r requirements-train.txt
	touch $@
