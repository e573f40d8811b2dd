# Two commands: `make demo` (the main job, end to end) and `make test` (lint, types, tests).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo ladder test lint slow clean

demo: $(INSTALLED)
	@$(BIN)/python examples/demo.py

ladder: $(INSTALLED)
	@$(BIN)/python examples/ladder.py

test: $(INSTALLED) lint
	$(BIN)/python -m pytest -n 2 -m "not slow"

lint: $(INSTALLED)
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy

slow: $(INSTALLED)
	$(BIN)/python -m pytest -n 2 -m slow

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "stancekit needs Python 3.11 or later; set PYTHON=…"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[neural,lora,exchange,dev]'
	@touch $@

clean:
	rm -rf $(VENV) runs/demo runs/ladder .pytest_cache .mypy_cache .ruff_cache .hypothesis
