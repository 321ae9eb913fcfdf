PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# For `make up` and `make mutants`: make up ARGS="--port 8001", make mutants ARGS="cursor"
ARGS ?=
# Rounds of `make fuzz`, each a process of its own: Hypothesis keeps every case that it has tried.
ROUNDS ?= 10
INSTALLED := $(VENV)/.installed

# Every test process, and every one that a test starts, would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: up test bench fuzz faults mutants lint types

up: $(INSTALLED)  ## serve the first example on http://127.0.0.1:8000/docs
	@$(BIN)/specwright up examples/tasks $(ARGS) || { code=$$?; \
		test $$code -ne 2 || echo 'Another port: make up ARGS="--port 8001"' \
			'or $(BIN)/specwright up examples/tasks --port 8001'; exit $$code; }

test: $(INSTALLED)  ## every test, on the embedded PostgreSQL
	$(BIN)/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

fuzz: $(INSTALLED)  ## the properties, thousands of cases: make fuzz ROUNDS=20
	@for round in $$(seq $(ROUNDS)); do echo "round $$round of $(ROUNDS)"; \
		HYPOTHESIS_PROFILE=fuzz $(BIN)/pytest tests/properties \
			--ignore=tests/properties/test_flipped_operators.py || exit 1; done

faults: $(INSTALLED)  ## kills, restarts, rude clients: each as often as docs/reliability.md says
	FAULTS=long $(BIN)/pytest tests/faults tests/integration/db tests/broken

mutants: $(INSTALLED)  ## the backend without one guard at a time; which check misses it
	$(BIN)/python tests/mutants $(ARGS)

bench: $(INSTALLED)  ## speed beside a bare app and idiomatic code; needs wrk
	$(BIN)/python -m benchmarks

lint: $(INSTALLED)  ## style, format and the import contract
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/lint-imports

types: $(INSTALLED)  ## strict types
	$(BIN)/mypy

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "installing into $(VENV); the first time takes some minutes"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
