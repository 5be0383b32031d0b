# Every target first makes sure that the environment in .venv is complete; that is a no-op when nothing changed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.complete

.PHONY: help setup demo test soak check fix bench docs clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: $(STAMP) ## Install what is needed (done by every other target)

$(STAMP): pyproject.toml requirements/dev.txt requirements/system.sh
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	bash requirements/system.sh
	@touch $@
