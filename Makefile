# Everything sets itself up: `make demo` and `make test` need Python 3.11 or newer, its venv module, and the package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-all lint check format docs docs-links figures doctor clean browser

demo: $(READY)  ## the main job on embedded defaults: real programs to checked monologues
	$(BIN)/semcoder demo

test: $(READY)  ## all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow"

test-all: $(READY)  ## every test, those on a local Ray cluster and with trackers too
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[ray,track]"
	$(BIN)/python -m pytest

lint: $(READY)  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: lint  ## what must pass before a commit: lint and the unit tests
	$(BIN)/python -m pytest -q -m "not slow" tests/unit tests/golden tests/contract

format: $(READY)  ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)  ## the documentation, in build/docs; a broken link or anchor is an error
	$(BIN)/python -m sphinx -b html -E -W --keep-going -q docs build/docs
	@echo "open build/docs/index.html"

docs-links: $(READY)  ## asks every external link of the documentation (needs a network)
	$(BIN)/python -m sphinx -b linkcheck -q docs build/links

figures: $(READY)  ## monologues and checker on a benchmark file: make figures DATA=path/to/cruxeval.jsonl
	$(BIN)/python perf/monologues.py $(DATA)

browser:  ## Debian's Chromium, for the tests that look at the page (optional; needs root)
	apt-get update && apt-get install -y chromium

$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV): a minute or some, once"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[data,llm,model,train,ui,dev,docs]"
	touch $(READY)

clean:  ## remove what was built and run
	rm -rf $(VENV) runs .mypy_cache .pytest_cache .ruff_cache .hypothesis
