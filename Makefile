# Two commands for people: `make loso` and `make test`. Each sets up what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help loso test lint lab notebooks reference bench pins clean

help:
	@echo "make loso       environment, then leave-one-subject-out on the synthetic dataset (notebook 04)"
	@echo "make test       environment, then every check and test, the notebooks included"
	@echo "make lab        environment, then JupyterLab in notebooks/"
	@echo "make notebooks  run every notebook on its defaults and keep the outputs (for a commit)"
	@echo "make reference  keep the results of those runs that README shows"
	@echo "make bench      measure how fast it all is, as ratios (about half an hour; close other programs)"
	@echo "make pins       choose the newest versions that pyproject.toml allows and pin them"
	@echo "make clean      remove the environment and the caches, but no result"

# The environment, made anew only when what it is made from has changed.
$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 10) else f"This project needs Python 3.10 or newer, and $(PYTHON) is {v.major}.{v.minor}; name another: make PYTHON=python3.12 ...")'
	@echo "environment: installing into $(VENV) (about 6 GB with torch; a few minutes on a first run)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.txt)"
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python -r requirements.txt
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $(READY)

loso: $(READY)
	@$(BIN)/python -m dianet_utils notebooks/04_loso.ipynb

test: lint
	@$(BIN)/python -m pytest

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy

lab: $(READY)
	@$(BIN)/jupyter lab --notebook-dir notebooks

notebooks: $(READY)
	@$(BIN)/python tools/refresh_notebooks.py

reference: $(READY)
	@$(BIN)/python tools/keep_reference.py

bench: $(READY)
	@$(BIN)/python -m benchmarks

pins: $(READY)
	@$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.10 --all-extras --upgrade \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml --output-file requirements.txt

clean:
	rm -rf $(VENV) data/banks .pytest_cache .mypy_cache .ruff_cache .hypothesis
