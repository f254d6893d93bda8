# Every target installs what it needs; the only things expected here are git, make, and Python or uv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

ENV ?= dev
FUNCTION ?= check_outcomes
DATA ?=
EVENT ?= tests/events/$(if $(filter api,$(FUNCTION)),api_health,$(FUNCTION)).json

# uv from PATH, or a private one that touches nothing outside this directory
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo .venv-uv/bin/uv)
# Node.js from PATH where it is new enough for the dashboard's bundler, or a private one, which comes as a wheel
NODE_IS_NEW := node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)'
NODE := $(shell $(NODE_IS_NEW) >/dev/null 2>&1 && command -v npm >/dev/null || echo .venv-node)
BIN := .venv/bin
PLUMBLINE := $(BIN)/plumbline
export UV
export UV_NO_PROGRESS := 1
export SAM_CLI_TELEMETRY := 0

# where torch's build without CUDA comes from, as options of uv: its own index, or --find-links with a folder of wheels
TORCH ?= --torch-backend cpu

COMPILE = $(UV) pip compile --quiet --python-version 3.13 --generate-hashes --no-emit-index-url --no-header --no-annotate
ENVIRONMENTS := dev sam cloud ric node peers uv
LAYERS := shared numeric model exchange api
PROJECT := .venv/installed
TOOLS := .venv-sam/installed .venv-cloud/installed .venv-ric/installed
DASHBOARD := infra/dashboard
PAGE := $(DASHBOARD)/dist/index.html

.PHONY: help demo up down build page test chromium check bench model scanners win invoke deploy weights lock install tools clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

demo: $(PROJECT) $(TOOLS) ## Deploy everything locally, replay a month of market, show signals with their outcomes
	$(PLUMBLINE) demo

up: $(PROJECT) $(TOOLS) ## Start the local AWS and the market, deploy the template on it
	$(PLUMBLINE) up

down: $(PROJECT) ## Stop what `up` started
	$(PLUMBLINE) down

build: $(PROJECT) $(TOOLS) $(PAGE) ## Build the functions and layers
	$(PLUMBLINE) build

page: $(PAGE) ## Bundle the dashboard

test: build chromium ## Run the whole suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/cloud
	$(BIN)/python -m pytest tests/cloud

chromium: $(PROJECT) ## Find the browser of the page's tests, or install it
	@$(BIN)/python -m tests.browser.chromium

check: $(PROJECT) .venv-sam/installed ## Lint, format, types, templates, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy shared/plumbline functions infra layers/model/training tests
	$(BIN)/cfn-lint template.yaml infra/*.yaml
	AWS_DEFAULT_REGION=us-east-1 .venv-sam/bin/sam validate --lint
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_template.py

bench: build ## Measure the hot paths
	$(BIN)/python -m tests.bench

model: $(PROJECT) .venv-train/installed ## Train and judge the policies on a folder of recorded hourly candles: DATA=folder
	@[ -n "$(DATA)" ] || { echo "Say where the candles are: make model DATA=folder, with BTC-USDT_1h.csv.gz in it" >&2; exit 1; }
	$(BIN)/python -m layers.model.training --data "$(DATA)" --python .venv-train/bin/python

scanners: $(PROJECT) ## Measure every scanner on a folder of recorded hourly candles, for docs/scanners.md: DATA=folder
	@[ -n "$(DATA)" ] || { echo "Say where the candles are: make scanners DATA=folder, with BTC-USDT_1h.csv.gz in it" >&2; exit 1; }
	$(BIN)/python -m layers.model.training.record --data "$(DATA)"

win: $(PROJECT) .venv-train/installed ## Train and judge the win probability on a stack's record, or on a folder: DATA=folder
	$(BIN)/python -m layers.model.training.win $(if $(DATA),--data "$(DATA)") --python .venv-train/bin/python

invoke: build ## Run one built function under Lambda's runtime emulator: FUNCTION=check_outcomes EVENT=file.json
	$(PLUMBLINE) invoke $(FUNCTION) $(EVENT)

deploy: $(PROJECT) .venv-sam/installed $(PAGE) ## Deploy to AWS: ENV=dev or ENV=prod, with your own credentials
	$(BIN)/python -m infra.release $(ENV)

weights: build ## Show the unpacked weight of every function with its layers
	$(BIN)/python -m infra.weights

lock: | $(filter .venv-uv/bin/uv,$(UV)) ## Compile every requirements file again, with hashes; UPGRADE=1 for new versions
	for name in $(ENVIRONMENTS); do \
		$(COMPILE) $(if $(UPGRADE),--upgrade) requirements/$$name.in -o requirements/$$name.txt; \
	done
	$(subst 3.13,3.11,$(COMPILE)) $(if $(UPGRADE),--upgrade) $(TORCH) requirements/train.in -o requirements/train.txt
	for name in $(LAYERS); do \
		$(COMPILE) --no-deps -c requirements/dev.txt layers/$$name/requirements.in -o layers/$$name/requirements.txt; \
	done

install: $(PROJECT) ## Make the project's environment, .venv

tools: $(TOOLS) ## Make the environments of SAM CLI, MiniStack and Lambda's runtime client

clean: ## Remove what was built and every environment
	rm -rf .aws-sam .venv .venv-* $(DASHBOARD)/dist $(DASHBOARD)/node_modules

# --- the dashboard: bundled again where anything that it is made of is newer than the page ---------------------------

npm = cd $(DASHBOARD) && PATH="$(if $(NODE),$(abspath $(NODE)/bin):)$$PATH" npm

$(PAGE): $(shell find $(DASHBOARD) -name node_modules -prune -o -name dist -prune -o -type f -print) $(DASHBOARD)/node_modules/installed
	$(npm) run --silent build
	@touch $@

$(DASHBOARD)/node_modules/installed: $(DASHBOARD)/package-lock.json | $(addsuffix /installed,$(NODE))
	$(npm) ci --no-progress
	@touch $@

# --- environments: each is stamped when its requirements are installed, so a second call does nothing ---------------

.venv-uv/bin/uv: requirements/uv.txt
	@python3 -m venv .venv-uv || { echo "Neither uv nor Python's venv module is here: install one of them." >&2; exit 1; }
	.venv-uv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

# $(1): directory, $(2): requirements, $(3): Python's version if not 3.13, $(4): further options of the installation
version = $(or $(3),3.13)
define environment
	@[ -x $(1)/bin/python ] || $(UV) venv --quiet --python "$$(requirements/find-python $(UV) $(version))" $(1) || { \
		echo "No Python $(version) found, and uv could not download one: install it (pyenv install $(version)) and try again." >&2; \
		exit 1; }
	$(UV) pip install --quiet --python $(1)/bin/python --require-hashes --build-constraints requirements/dev.txt $(4) -r $(2)
endef

$(PROJECT): requirements/dev.txt pyproject.toml | $(filter .venv-uv/bin/uv,$(UV))
	$(call environment,.venv,requirements/dev.txt)
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv-train/installed: requirements/train.txt | $(filter .venv-uv/bin/uv,$(UV))
	$(call environment,.venv-train,requirements/train.txt,3.11,$(TORCH))
	@touch $@

.venv-%/installed: requirements/%.txt | $(filter .venv-uv/bin/uv,$(UV))
	$(call environment,.venv-$*,requirements/$*.txt)
	@touch $@
