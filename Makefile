# Every target first makes sure that the environment in .venv is complete; that is a no-op when nothing changed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
STAMP := .venv/.complete
PAGES := src/equipoise/platform/pages
ASSETS := $(PAGES)/static/equipoise/participant.css
# One thread of linear algebra for each worker: with more they wait for one another longer than they compute.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# Tests make thousands of databases and folders, each written to the disk for good. In memory, where there is enough of
# it, they take a third of the time; what is cut off is as whole there as it is on a disk.
MEMORY := $(shell test -w /dev/shm && test "$$(df --output=avail -m /dev/shm | tail -n 1)" -gt 4000 && echo /dev/shm)
IN_MEMORY := $(if $(MEMORY),folder=$$(mktemp -d -p $(MEMORY) equipoise.XXXXXX) && trap 'rm -rf $$folder' EXIT && export TMPDIR=$$folder &&)
# Files go in the order of folders: the browser's and the journeys', which take longest, begin, and quick ones end.
# Of the platform, what goes by pages, files and processes: the same whatever the database, so on SQLite alone.
SAME := pages permissions partners masking security durability/test_serving.py running/test_deployment_files.py \
  running/test_importing.py running/test_stopping.py staff api/test_on_the_server.py api/test_document.py \
  audit/test_merkle.py faults/test_huge_rosters.py operations/test_doctor_of_notify.py people/test_uploads.py \
  delivery/channels delivery/video delivery/files/test_letters.py delivery/files/test_file_pages_look.py

.PHONY: help setup assets demo test soak check fix bench docs clean

help: ## Say what can be made
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) $(ASSETS) ## Install what is needed into .venv (every other target does it first)

assets: $(ASSETS) ## Compile the style sheets of the platform's pages (Node comes with .venv)

demo: $(STAMP) ## Run the whole example programme and say where its reports are (demo/)
	@rm -rf demo
	$(BIN)/equipoise demo demo

test: $(STAMP) $(ASSETS) ## Run every test, the platform's on SQLite and PostgreSQL; NO_BROWSER=1 leaves out Chromium's
	@$(if $(NO_BROWSER),true,$(MAKE) --no-print-directory .browser)
	$(IN_MEMORY) EQUIPOISE_TEST_DATABASE=postgresql $(PYTEST) tests/platform -m "not browser" $(SAME:%=--ignore tests/platform/%)
	$(IN_MEMORY) $(PYTEST) tests

soak: $(STAMP) $(ASSETS) ## Run the generated tests with many seeds (ROUNDS=20) and add a line to docs/soak.md
	$(BIN)/python tests/soak.py --rounds $(or $(ROUNDS),20)

check: $(STAMP) ## Lint, formatting, the layers, and strict types of the method packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

fix: $(STAMP) ## Put right what a machine can put right: lint and formatting
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) $(ASSETS) ## Time what has a stated figure, and print the table
	$(BIN)/python -m bench

docs: $(STAMP) ## Build the documentation, links checked (docs/_build/html/index.html)
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean: ## Remove what was built; the environment stays
	rm -rf $(PAGES)/static build dist demo docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): pyproject.toml requirements/dev.txt requirements/system.sh
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Equipoise needs Python 3.11 or later; name it: make setup PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	  { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	bash requirements/system.sh
	@touch $@

$(ASSETS): $(addprefix $(PAGES)/assets/, package.json package-lock.json build.py) \
  $(wildcard $(addprefix $(PAGES)/assets/, styles/*.scss images/* licences/* scripts/*)) | $(STAMP)
	@$(BIN)/python $(PAGES)/assets/build.py
	@touch $@

# The tests fail, rather than skip, without a browser: this says so before the first of them runs.
.PHONY: .browser
.browser:
	@command -v chromium >/dev/null 2>&1 || \
	  { bash requirements/system.sh; command -v chromium >/dev/null 2>&1; } || \
	  { echo "No Chromium: install it with the line above, or run: NO_BROWSER=1 make test"; exit 1; }
