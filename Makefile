# Everything that is done with this repository. `make help` lists it; each target makes what it needs first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV_VERSION := 0.13.9
MEMBERS := libs/common libs/kegai services/measures services/societies services/talent services/events
SOURCES := $(addsuffix /src,$(MEMBERS))
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header \
	--no-emit-package kegai-common --group dev -o requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS))

.DEFAULT_GOAL := help
.PHONY: help setup up down reset status seed logs doctor test test-fast check faults faults-controls bench fmt lock kafka-lock gateway contracts clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: $(READY) ## the environment: everything from requirements.lock, by hash, and the six packages

$(VENV)/bin/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)

$(READY): requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS)) | $(VENV)/bin/uv
	$(BIN)/uv pip sync -q --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation $(addprefix -e ,$(MEMBERS))
	@touch $@

up: $(READY) ## get and start the whole stack, plant the seeds, prove itself; it stays in the background
	@$(BIN)/kegai up

down: $(READY) ## stop the stack and keep its data
	@$(BIN)/kegai down

reset: $(READY) ## stop the stack and wipe its data
	@$(BIN)/kegai reset

status: $(READY) ## what runs, how far behind it is, what is parked
	@$(BIN)/kegai status

seed: $(READY) ## plant the seeds again; what is there already stays as it is
	@$(BIN)/kegai seed

logs: $(READY) ## the last lines of every log
	@$(BIN)/kegai logs

doctor: $(READY) ## look for what is wrong with this machine or the stack
	@$(BIN)/kegai doctor

test: $(READY) ## all tests, on real PostgreSQL, Kafka, Envoy and Chromium
	$(BIN)/pytest -n 2 --dist loadgroup

test-fast: $(READY) ## the tests that need no server
	$(BIN)/pytest -n 2 -m "not servers"

faults: $(READY) ## break the running system in every known way and check what is left; FAULTS="name …" for some of them
	@PYTHONPATH=tests $(BIN)/python -m faults $(FAULTS)

faults-controls: $(READY) ## break the code in every known way and see that the faults' checks notice
	@PYTHONPATH=tests $(BIN)/python -m faults.controls $(MUTANTS)

bench: $(READY) ## how fast it is, each figure beside its baseline; BENCH="P1 P4" for some of them
	@PYTHONPATH=tests $(BIN)/python -m bench $(BENCH)

check: $(READY) ## format, lint, types, dependency rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES) tests
	$(BIN)/lint-imports

fmt: $(READY) ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(VENV)/bin/uv ## settle the versions of all dependencies anew; pins that still fit stay
	$(LOCK)

kafka-lock: $(READY) ## settle Kafka's jars anew, with Maven, from the pom
	$(BIN)/python -m kegai.local.kafka.lock

gateway: $(READY) ## write the gateway's configurations anew from deploy/gateway/routes.yaml
	$(BIN)/python -m kegai.gateway

contracts: $(READY) ## write what is published anew: event schemas, AsyncAPI, each service's OpenAPI
	$(BIN)/python -m common.contracts.publication
	$(BIN)/python -m events.reference.asyncapi docs/asyncapi.json
	for service in measures societies talent events; do $(BIN)/python -m common.openapi $$service services/$$service/openapi.json; done

clean: ## remove the environment and what tools left behind
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
