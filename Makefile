# Everything a newcomer needs: `make run` on a fresh machine with Python 3.11, git and make. No Docker, no sudo.

NIGHT ?= 2026-06-30
YEAR ?= 2022
FRAMEWORK ?= 922-2022
TESTS ?=
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
BIN := .venv/bin
READY := .venv/.ready
COMPLETE := .venv/.complete
.DEFAULT_GOAL := help
.PHONY: help run test replay up down status check audit clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## Run one night end to end through Airflow's DAGs: make run NIGHT=2026-06-30
	@$(BIN)/python -m dti_airflow run --night $(NIGHT)

test: $(COMPLETE) ## Run all tests: make test, or make test TESTS=tests/dags
	@$(BIN)/python -m pytest $(if $(TESTS),$(TESTS),--numprocesses 3 --dist loadscope --no-loadscope-reorder)

replay: $(READY) ## Reproduce a published year from calibrated raw records: make replay YEAR=2022
	@$(BIN)/dti replay $(FRAMEWORK) $(YEAR)

up: $(READY) ## Start Airflow, the sandbox and PostgreSQL, and print address and login
	@$(BIN)/python -m dti_airflow up

down: $(READY) ## Stop all of them
	@$(BIN)/python -m dti_airflow down

status: $(READY) ## Show which of them run
	@$(BIN)/python -m dti_airflow status || true

check: $(COMPLETE) ## Lint, formatting, types, import rules, SQL
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar include/sql expectations
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src dags plugins

audit: $(READY) ## Look up known vulnerabilities of all that is locked (needs the network)
	@$(UV) export --quiet --frozen --no-emit-project --all-groups --output-file .venv/locked.txt
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off --requirement .venv/locked.txt

clean: $(if $(wildcard $(READY)),down) ## Stop everything and remove ./.dti: landing, lake, warehouse
	rm -rf .dti .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# The locked environment, brought up to date only when the lock changed. Compiled once, so that Airflow starts in
# two seconds instead of five on machines that write no bytecode.
$(READY): pyproject.toml uv.lock | $(UV)
	@echo "Setting up the environment (a minute or two the first time)"
	@$(UV) sync --locked --compile-bytecode --quiet
	@touch $@

# What tests and checks need besides: every optional part (Spark, Celery, …) and the servers they run against.
$(COMPLETE): $(READY)
	@echo "Adding the optional parts that tests need (Spark is large)"
	@$(UV) sync --locked --inexact --all-extras --group parts --compile-bytecode --quiet
	@touch $@

.uv/bin/uv:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed as python3; found: $$(python3 --version 2>&1)" >&2; exit 1; }
	@echo "Installing uv into ./.uv"
	@python3 -m venv .uv >/dev/null 2>&1 && .uv/bin/python -m pip install --quiet uv || { rm -rf .uv; \
	  echo "python3 cannot make a virtual environment here: install python3-venv, or uv itself (https://docs.astral.sh/uv/)" >&2; exit 1; }
