# `make help` lists what there is. Everything is installed pinned, in .venv and node_modules; nothing else is touched.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
PORT ?= 4566
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_SYSTEM_CERTS := 1
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

setup: .venv/.done node_modules/.done ## install everything, pinned, into .venv and node_modules

.venv/.done: requirements.txt pyproject.toml
	test -x $(BIN)/python || python3 -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep -oE '^uv==[^ ]+' requirements.txt)
	$(BIN)/uv pip install --quiet --no-deps -r requirements.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

node_modules/.done: package-lock.json .venv/.done
	npm ci --silent --no-audit --no-fund
	touch $@

demo: setup ## run the main job on this machine, from deployment to chat; KEEP=1 stays up and shows the chat
	$(BIN)/python -m local.demo $(if $(KEEP),--keep)

test: setup lint ## everything that must hold: lint, types, imports, and all tests with the demo's scenario
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not e2e" --ignore-glob='*_hostile.py' --cov --cov-report= tests
	$(BIN)/coverage report
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/unit/channels/test_*_hostile.py
	$(BIN)/python -m pytest -m e2e tests

lint: setup ## format check, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests/unit tests/integration tests/conformance tests/e2e tests/*.py benchmarks
	$(BIN)/pyright --warnings
	$(BIN)/lint-imports

format: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

synth: setup ## write the CloudFormation of the stack to cdk.out/
	npx cdk synth --quiet

local-up: setup ## run the local cloud in the foreground on 127.0.0.1:$(PORT)
	$(BIN)/python -m local.cloud --port $(PORT)

pictures: setup ## draw the pictures in docs/ anew (installs Chromium by apt-get where it is missing)
	$(BIN)/python -m local.chat.picture

lock: setup ## pin the newest versions that requirements.in allows
	$(BIN)/uv pip compile --quiet --python-version 3.11 --override requirements.overrides requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --python-version 3.14 --generate-hashes functions/requirements.in -o functions/requirements.txt

clean: ## remove what was made, the installed tools included
	rm -rf .venv node_modules build cdk.out .coverage* .*_cache *.egg-info

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

.PHONY: setup demo test lint format synth local-up pictures lock clean help
