# Each target sets up what it needs in .venv, on a machine with Python 3.11 or 3.12 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
GRPC_PORT ?= 8500
EVERY_PRESET = $$($(BIN)/python -c "import zoo; print(*zoo.list_models())")

.PHONY: serve test test-browser lint format clean help

serve: $(VENV)/serving.stamp  ## Serve the pretrained models, or PRESETS="a b", on PORT and GRPC_PORT
	$(BIN)/zoo-serve $(or $(PRESETS),$(EVERY_PRESET)) --rest_api_port=$(PORT) --port=$(GRPC_PORT)

test: $(VENV)/test.stamp  ## Run all tests, or ARGS="tests/zoo/layers -x"
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

# Needs Debian's chromium (apt-get install chromium).
test-browser: $(VENV)/browser.stamp  ## Test the playground in Debian's chromium
	$(BIN)/python -m pytest tests/browser $(ARGS)

lint: $(VENV)/test.stamp  ## Check rules and format with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/test.stamp  ## Mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove .venv
	rm -rf $(VENV)

help:  ## Show this list
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / {printf "make %-14s%s\n", $$1, $$2}' Makefile

$(VENV)/%.stamp: setup.py constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$*]"
	touch $@
