# `make serve` and `make test` set up everything they need in .venv, on a machine with Python 3.11
# or 3.12 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRESETS ?= nmt_attention nmt_vanilla sentiment sentiment_sst ner ner_open
PORT ?= 8501
GRPC_PORT ?= 8500

.PHONY: serve test test-browser lint format clean

serve: $(VENV)/serving.stamp
	$(BIN)/zoo-serve $(PRESETS) --rest_api_port=$(PORT) --port=$(GRPC_PORT)

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest -n 2 $(ARGS)

# Needs Debian's chromium (apt-get install chromium).
test-browser: $(VENV)/browser.stamp
	$(BIN)/python -m pytest tests/browser $(ARGS)

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV)

$(VENV)/%.stamp: setup.py constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$*]"
	touch $@
