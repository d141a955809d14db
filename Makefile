# Two commands do everything on a fresh machine: `make playground` and `make test`.
# PIP_FLAGS reaches pip, e.g. an index of CPU-only torch wheels or a mirror of your own.

PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
ARGS ?=

BIN := $(VENV)/bin
# Libraries that the queue is measured against. They want different versions of redis-py.
PEERS := arq saq streaq taskiq-redis
# Without its dependencies, for the reason that pyproject.toml gives.
LAGENT := lagent==0.5.0rc3
# Discord's published OpenAPI description, which is not part of this project.
SPEC ?= ../shared/conformance/discord-openapi.json
# What the images install, for every platform from Python 3.11 on; `make lock` writes it.
LOCKS := deploy/requirements
INFERENCE := inference models agent ocr sandbox tracing
CPU := cpu $(filter-out inference,$(INFERENCE))
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header $(ARGS)
PACKAGES := bot common inference jobqueue playground bench training tests

.DEFAULT_GOAL := help
.PHONY: compose-check conformance deploy-check dist-check discord-clients discord-faults help playground test split-fuzz chaos soak fuzz lock audit sbom screenshots mutants matrix bench-queue check format clean

help: ## Show the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

playground: $(VENV)/.playground ## The whole system in a browser: no token, no GPU, no Docker
	@$(BIN)/python -m playground $(ARGS)

test: $(VENV)/.dev ## All tests (under ten minutes on two cores); ARGS="-k name" picks some
	@$(BIN)/python -m pytest --numprocesses 4 --dist worksteal $(ARGS)

chaos: $(VENV)/.dev ## Kill, stop and cut everything under load; ARGS="--seconds 600 --seed 7"
	@$(BIN)/python -m tests.faults.chaos $(ARGS)

split-fuzz: $(VENV)/.dev ## Cut more than 100,000 generated answers into messages (ten minutes)
	@$(BIN)/python -m pytest tests/bot/render/test_split.py --hypothesis-profile=long $(ARGS)

fuzz: $(VENV)/.dev ## Every reader of outside words and bytes, thousands of tries each; ARGS="-k question"
	@COMMONROOM_EVERY_INPUT=1 $(BIN)/python -m pytest tests/fuzz tests/test_text_complexity.py \
		--hypothesis-profile=fuzz $(ARGS)

discord-faults: $(VENV)/.dev ## 1,000 things that Discord does wrong; ARGS="--faults 50 --seed 7"
	@$(BIN)/python -m tests.faults.discord_faults $(ARGS)

discord-clients: $(VENV)/.dev $(VENV)/clients/.installed ## Bots of hikari and discord.js on the local Discord; needs npm
	@$(BIN)/python -m pytest tests/playground/discord/test_clients.py $(ARGS)

conformance: $(VENV)/.dev ## All exchanges of tests and scripts against Discord's specification; SPEC=openapi.json
	@$(BIN)/python -m tests.conformance --spec $(SPEC) $(ARGS)

soak: $(VENV)/.dev ## The whole system for 30 minutes under faults; ARGS="--seconds 300 --talking 12"
	@$(BIN)/python -m tests.faults.soak $(ARGS)

lock: $(VENV)/.supply ## Pin what each image installs, with hashes; ARGS=--upgrade takes newer versions
	@$(LOCK) --extra bot --extra tracing -o $(LOCKS)/bot.txt pyproject.toml $(LOCKS)/build.in
	@$(LOCK) $(INFERENCE:%=--extra %) -o $(LOCKS)/inference.txt pyproject.toml $(LOCKS)/build.in
	@$(LOCK) $(CPU:%=--extra %) -o $(LOCKS)/cpu.txt pyproject.toml $(LOCKS)/build.in
	@$(LOCK) --extra sandbox -o $(LOCKS)/sandbox.txt pyproject.toml $(LOCKS)/build.in
	@$(LOCK) --no-deps -o $(LOCKS)/lagent.txt $(LOCKS)/lagent.in

audit: $(VENV)/.supply ## Known weaknesses in what the images install; asks PyPI's database
	@for image in bot inference cpu sandbox lagent; do \
		$(BIN)/pip-audit --strict --disable-pip --require-hashes -r $(LOCKS)/$$image.txt $(ARGS) || exit 1; done

screenshots: $(VENV)/.dev $(VENV)/.playground ## Make the pictures of docs/ anew; ARGS=solve makes one
	@$(BIN)/python -m tests.deploy.screenshots $(ARGS)

sbom: $(VENV)/.supply ## What is in each image, as CycloneDX, into build/
	@mkdir -p build
	@for image in bot inference cpu sandbox; do \
		$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
			-o build/$$image.cdx.json $(LOCKS)/$$image.txt || exit 1; done
	@ls build/*.cdx.json

deploy-check: $(VENV)/.dev ## Install and start each image's part in a clean place; ARGS=bot picks one
	@$(BIN)/python -m tests.deploy.images $(ARGS)

compose-check: $(VENV)/.dev ## Build, start and disturb the stack on a Docker engine of its own; as root
	@$(BIN)/python -m tests.compose $(ARGS)

dist-check: $(VENV)/.dev $(VENV)/.supply ## Build, install as a stranger would, test; ARGS="--python 3.12"
	@$(BIN)/python -m tests.deploy.distribution $(ARGS)

mutants: $(VENV)/.dev ## Remove each guard of the queue and see a test notice
	@$(BIN)/python -m tests.faults.mutants $(ARGS)

matrix: $(VENV)/.matrix ## The queue's tests on every server that is here, a cluster included
	@$(BIN)/python -m tests.faults.matrix $(ARGS)

bench-queue: $(VENV)/.dev $(PEERS:%=$(VENV)/peers/%/.installed) ## This queue beside arq, saq, streaq and taskiq
	@$(BIN)/python -m bench queue --peers $(VENV)/peers $(ARGS)

check: $(VENV)/.dev ## Format, lint, strict types, import rules, structure
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --quiet tests/test_architecture.py

format: $(VENV)/.dev ## Format and fix what can be fixed
	$(BIN)/ruff format $(PACKAGES)
	$(BIN)/ruff check --fix $(PACKAGES)
	$(BIN)/python -m tests.module_tables

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one with PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/peers/%/.installed: $(BIN)/python bench/peers/requirements/%.txt
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet $(PIP_FLAGS) -r bench/peers/requirements/$*.txt
	@touch $@

$(VENV)/clients/.installed: $(BIN)/python tests/playground/clients/package.json
	@$(PYTHON) -m venv $(@D)/hikari
	@$(@D)/hikari/bin/python -m pip install --quiet $(PIP_FLAGS) 'hikari>=2.7,<3'
	@cp tests/playground/clients/package.json $(@D)
	@npm install --prefix $(@D) --no-audit --no-fund --silent
	@touch $@

$(VENV)/.%: $(BIN)/python pyproject.toml constraints/cpu.txt
	@echo "Installing commonroom[$*] (minutes the first time, nothing later)"
	@$(BIN)/python -m pip install --quiet $(PIP_FLAGS) --constraint constraints/cpu.txt --editable '.[$*]'
	@$(BIN)/python -m pip install --quiet $(PIP_FLAGS) --no-deps $(LAGENT)
	@touch $@
