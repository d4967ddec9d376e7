# The two commands of the README are `make demo` and `make test`; both make their own environment.
PYTHON ?= python3
BIN := .venv/bin
MODEL_TESTS := $(addprefix tests/test_,decode.py prefixes.py gemma.py inputs.py sampling.py vectors.py)
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test test-slow engines newest package check coverage bench findings pocket clean

demo: .venv/product          ## install, write the demonstration library, read it and serve it
	$(BIN)/recollect --data .venv/demo-data demo .venv/demo-library --open

test: .venv/developer        ## the test suite; the browser tests need a Chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not engines" $(TESTS)

test-slow: .venv/developer   ## the long proofs: kills, faults, floods
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow $(TESTS)

engines: .venv/developer .venv/engines/llamacpp/made  ## real engines, each in an environment of its own, with our model behind them
	$(BIN)/python -m pytest -m engines tests/test_engines.py

newest: .venv/developer      ## the model's tests with the newest transformers that is allowed
	$(BIN)/pip install --quiet --no-deps --upgrade --target .venv/newest transformers==5.24.0
	PYTHONPATH=.venv/newest $(BIN)/python -m pytest -n 2 --dist loadfile $(MODEL_TESTS)

package: .venv/developer     ## wheel and sdist into dist/, and the wheel tried in an empty environment
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist
	@wc -c dist/*
	$(BIN)/python -m pytest tests/test_package.py

check: .venv/developer tests/types/node_modules  ## types, lint, formatting, and the arrows between the packages
	$(BIN)/mypy recollect.py indexer retriever model web training bench docs tests
	$(BIN)/python -m docs.architecture --check
	$(BIN)/python -m docs.formats --check
	$(BIN)/python -m docs.api --check
	$(BIN)/python -m docs.reference --check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	tests/types/node_modules/.bin/tsc --project tests/types

coverage: .venv/developer    ## how much of the product the fast suite runs, in percent
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow and not engines" --cov --cov-report= $(TESTS)
	$(BIN)/coverage report --skip-covered --sort=cover

bench: .venv/developer       ## what is measured, and how to run one
	$(BIN)/python -m bench list

findings:                    ## what libraries do otherwise than one would guess: run every script of findings/
	@bash findings/run.sh

pocket: .venv/developer      ## make the demonstration model from nothing (hours on a processor)
	$(BIN)/python -m training all

clean:
	rm -rf .venv tests/types/node_modules

tests/types/node_modules: tests/types/package-lock.json
	@command -v npm > /dev/null || \
	  { echo "The type check of web/static needs npm; on Debian and Ubuntu: apt install npm"; exit 1; }
	@npm ci --prefix tests/types --silent --no-audit --no-fund
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Recollect needs Python 3.11 or newer; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "This Python has no venv; on Debian and Ubuntu: apt install python3-venv"; exit 1; }

.venv/engines/llamacpp/made: .venv/bin/python bench/engines/requirements.txt
	@echo "Installing llama.cpp into .venv/engines (34 MB) ..."
	@$(PYTHON) -m venv .venv/engines/llamacpp
	@.venv/engines/llamacpp/bin/pip install --quiet --requirement bench/engines/requirements.txt
	@touch $@

.venv/product: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing Recollect into .venv (a few minutes the first time) ..."
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/developer: .venv/product
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,readers]'
	@touch $@
