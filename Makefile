# Two commands for people: `make loso` and `make test`. Each sets up what it needs, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IP ?= 127.0.0.1
READY := $(VENV)/.ready
SITE := .venv-site

.PHONY: help loso test check lint lab notebooks reference people knobs pretrained site bench address try-colab try-lab pins clean

help:
	@echo "make loso       environment, then leave-one-subject-out on the synthetic dataset (notebook 04)"
	@echo "make test       environment, then every check and test, the notebooks included"
	@echo "make check      style, types and the tests that start no kernel (about six minutes; while you work)"
	@echo "make lab        environment, then JupyterLab in notebooks/, for this computer alone (else IP=...)"
	@echo "make notebooks  run every notebook on its defaults and keep the outputs (for a commit)"
	@echo "make reference  keep the results of those runs that README shows"
	@echo "make people     the rows of Tables 1, 3 and 4 on five datasets of other people (hours), and keep them"
	@echo "make knobs      other drift, recovery and delays of the synthetic clips (an hour of a core), and keep them"
	@echo "make pretrained ImageNet weights against random ones at 112 px (more than an hour), and keep what they say"
	@echo "make site       build the web pages from README, notebooks and docs/ into build/site"
	@echo "make address    write the address URL=... into badges, setup cells, README, CITATION, pyproject"
	@echo "make try-colab  run every notebook as Colab would, in an environment of its versions"
	@echo "make try-lab    run every notebook in JupyterLab in a headless Chromium"
	@echo "make bench      measure how fast it all is, as ratios (about 40 minutes; close other programs)"
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

# One thread per process: two of them share the cores. Tests that start processes of their own run alone.
test: lint
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow and not processes"
	@$(BIN)/python -m pytest -m "not slow and processes"

check: lint
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow and not processes" --ignore=tests/stress \
		--ignore=tests/notebooks/test_execution.py --ignore=tests/notebooks/test_command_line.py

lint: $(READY)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy

# Jupyter refuses root, who in a container is often the only user, unless told to.
lab: $(READY)
	@$(BIN)/jupyter lab --ip=$(IP) --notebook-dir notebooks $(if $(filter 0,$(shell id -u)),--allow-root)

notebooks: $(READY)
	@$(BIN)/python tools/refresh_notebooks.py

reference: $(READY)
	@$(BIN)/python tools/keep_reference.py
	@$(BIN)/python tools/write_results.py

people: export OMP_NUM_THREADS = 1
people: $(READY)
	@$(BIN)/python tools/run_people.py 1/2 & $(BIN)/python tools/run_people.py 2/2 && wait
	@$(BIN)/python tools/keep_people.py

knobs: export OMP_NUM_THREADS = 1
knobs: $(READY)
	@$(BIN)/python tools/run_knobs.py 1/2 & $(BIN)/python tools/run_knobs.py 2/2 && wait
	@$(BIN)/python tools/run_knobs.py

pretrained: $(READY)
	@$(BIN)/python tools/run_pretrained.py

# Pages are built from stored outputs and from the package's text: a small environment without torch.
$(SITE)/.ready: docs/requirements.txt
	@$(PYTHON) -m venv $(SITE)
	@$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.txt)"
	@$(SITE)/bin/python -m uv pip install --quiet --python $(SITE)/bin/python -r docs/requirements.txt
	@touch $@

site: $(SITE)/.ready
	@$(SITE)/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env -c docs -d build/doctrees . build/site
	@echo "site: build/site/index.html"

bench: $(READY)
	@$(BIN)/python -m benchmarks

address: $(READY)
	@$(BIN)/python tools/stamp_address.py $(URL) $(BRANCH)

try-colab: $(READY)
	@$(BIN)/python tools/try_colab.py

try-lab: $(READY)
	@$(BIN)/python tools/try_lab.py

PIN := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.10 --upgrade \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links

pins: $(READY)
	@$(PIN) --extra dev pyproject.toml --output-file requirements.txt
	@$(PIN) --group site --output-file docs/requirements.txt

clean:
	rm -rf $(VENV) $(SITE) build data/banks .pytest_cache .mypy_cache .ruff_cache .hypothesis
