# `make` lists the targets. Each of them makes the virtual environment .venv first, where it is missing or old.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
# The stamp names the Python version, so that another PYTHON gets an environment of its own version.
STAMP := $(VENV)/installed-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint clean

help:  ## list the targets
	@echo "make TARGET [PYTHON=python3.11]    Python 3.10 to 3.13; python3 if not given"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s%s\n", $$1, $$2}' Makefile

venv: $(STAMP)  ## make the virtual environment .venv with the pinned versions

demo: $(STAMP)  ## run the demonstration
	$(BIN)/python examples/demo.py

# One thread for each: threads of several processes that wait for each other on few cores take an age.
test: $(STAMP)  ## run the tests (ARGS="tests/layers -x" for some of them)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --dist loadfile $(ARGS)

lint: $(STAMP)  ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:  ## remove the environment and everything else that was built
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an installation that was interrupted starts anew.
$(STAMP): constraints.txt setup.cfg pyproject.toml tools/setup_environment.py
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here. Install Python 3.10 to 3.13 and name it: make PYTHON=python3.11 $(or $(MAKECMDGOALS),venv)"; exit 1; }
	@$(PYTHON) tools/setup_environment.py $(VENV)
	@touch $@
