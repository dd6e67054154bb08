# The two commands for everybody: `make demo` and `make test`. `make help` tells the others.

PYTHON ?= python3
BIN := .venv/bin
WES := .venv/wes
# Half of the packages' modules are never imported: those that are get compiled then.
PIP := -m pip install --quiet --disable-pip-version-check --no-compile
PARALLEL = $(MAKE) --no-print-directory -j 2

# Without its bytecode, each process compiles all that it imports: three seconds of a service's start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help new-enough setup ui demo test test-interface check check-python check-interface pictures bench prove lock clean

help: ## Tell what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.complete $(WES)/.complete ## Make the environments from their locks

new-enough:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "ImputeHub needs Python 3.11 or newer; '$(PYTHON)' is older. Use: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }

# The stamp comes last, so that an interrupted installation is made again.
.venv/.complete: requirements.lock pyproject.toml | new-enough
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		echo "The environment cannot be made: Python's venv module is incomplete (on Debian: python3-venv)." >&2; \
		rm -rf .venv; exit 1; }
	$(BIN)/python $(PIP) --require-hashes -r requirements.lock
	$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

# WES servers of other people, in an environment of their own.
$(WES)/.complete: sandbox/wes/requirements.lock .venv/.complete
	@test -x $(WES)/bin/python || $(BIN)/python -m venv $(WES)
	$(WES)/bin/python $(PIP) --require-hashes -r sandbox/wes/requirements.lock
	@touch $@

# The interface is made without the environment, and so beside it: it needs Python itself, and Node.js.
ui: new-enough ## Build the interface that the gateway serves, when its sources have changed
	$(PYTHON) -m imputehub.frontend build

demo: new-enough ## Start the platform, run a real imputation end to end, and leave it running
	@$(PARALLEL) setup ui
	$(BIN)/imputehub demo

test: new-enough ## Check the code and run all tests
	@$(PARALLEL) test-interface check-python $(WES)/.complete
	$(BIN)/pytest -n 2 --ignore tests/architecture

test-interface: check-interface
	$(PYTHON) -m imputehub.frontend build

check: new-enough ## ruff, mypy, import-linter, architecture tests; eslint, tsc and vitest
	@$(PARALLEL) check-interface check-python

check-python: .venv/.complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --no-incremental  # Django's plugin misreads a cache that is older than an edit of models
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/architecture

check-interface: new-enough
	$(PYTHON) -m imputehub.frontend check

pictures: setup ui ## Take the pictures anew that the interface is compared with
	IMPUTEHUB_RENEW_PICTURES=1 $(BIN)/pytest -q tests/e2e/test_browser_appearance.py

bench: setup ## Measure what docs and goals speak of
	for script in tests/load/bench_*.py; do PYTHONPATH=. $(BIN)/python $$script || exit 1; done

prove: setup ## Show under chaos that every run reaches its site once and comes home (about ten minutes)
	PYTHONPATH=. $(BIN)/python tests/load/prove_exactly_once.py

lock: setup ## Make the locks anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--no-emit-find-links --extra dev --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--no-emit-find-links --python-version 3.11 sandbox/wes/requirements.in -o sandbox/wes/requirements.lock

clean: ## Remove what was made (not the platform's state in .imputehub)
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache *.egg-info
