# Perfcast. Two commands matter: `make run` and `make test`; both set up everything themselves.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := $(VENV)/.tools
UV_VERSION := 0.13.9
UV = $$(command -v uv || echo $(BIN)/uv)
# On a terminal uv shows how far it is.
QUIET := $(shell test -t 2 || echo -q)
INSTALL = VIRTUAL_ENV=$(VENV) $(UV) pip install $(QUIET)
LOCK = $(UV) pip compile --universal --python-version 3.11 --upgrade -q --no-annotate --no-header --no-emit-package perfcast \
	--no-emit-package perfcast-client

# Compiled bytecode makes every start about three times faster.
export UV_COMPILE_BYTECODE := 1
# PyTorch: the small CPU build, from a local folder of wheels where pip has one, else from PyTorch's own index.
# UV_TORCH_BACKEND=auto takes the build for the GPU of this machine.
ifdef PIP_FIND_LINKS
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
else
export UV_TORCH_BACKEND ?= cpu
endif

.PHONY: help run test test-clocks test-stack check audit format bench setup services lock docs site dashboards manifests clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(READY) ## Set up, make the starter models if there are none, and serve on http://127.0.0.1:8000
	@$(BIN)/perfcast up

test: $(TOOLS) services ## Run every test, with real servers
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=20

test-clocks: $(TOOLS) services ## Run the tests that read a clock at six other hours (an hour; not in CI)
	@PYTHON=$(BIN)/python tests/at-other-hours

test-stack: $(TOOLS) ## Build the images, start docker-compose.yml and test it (half an hour; needs containers; not in CI)
	@command -v docker >/dev/null && docker info >/dev/null 2>&1 || $(INSTALL) podman-compose==1.6.0
	@PYTHON=$(BIN)/python tests/stack/run

check: $(TOOLS) ## Format, lint, types, and the direction of imports
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/mypy
	@log=$$(mktemp) && { $(BIN)/lint-imports --no-cache >$$log 2>&1 || { cat $$log; rm $$log; exit 1; }; rm $$log; }
	@echo "check: all good"

AUDIT = $(UV) tool run --from pip-audit==2.10.1 pip-audit --strict --no-deps --disable-pip --progress-spinner off

audit: $(READY) ## Look whether what is installed has known vulnerabilities (asks PyPI; what it can't look up is a failure)
	@$(AUDIT) -r requirements.txt -r requirements-torch.txt -r requirements-dev.txt

format: $(TOOLS) ## Put the code in order
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

bench: $(TOOLS) ## Measure accuracy and speed against named baselines (several minutes)
	@$(BIN)/python benchmarks/accuracy.py && $(BIN)/python benchmarks/start.py

docs: $(TOOLS) ## Write the pages that are made from the code (API, commands, settings, metrics, alerts)
	@$(BIN)/python docs/generate.py

site: $(TOOLS) ## Build the documentation into site/ and look whether every link leads somewhere
	@$(BIN)/python docs/build.py && $(BIN)/python docs/check.py

RUNBOOKS ?= docs/runbooks.md

dashboards: $(TOOLS) ## Write Grafana's dashboards and Prometheus' rules from deploy/dashboards
	@$(BIN)/python -W ignore -m deploy.dashboards --runbooks $(RUNBOOKS)

manifests: $(TOOLS) ## Write deploy/kubernetes/install.yaml from its overlay
	@{ printf '# To try it out: docs/how-to/kubernetes.md. Made by `make manifests` from overlays/dev; change it there.\n' && \
		$(BIN)/kubectl kustomize deploy/kubernetes/overlays/dev; } >deploy/kubernetes/install.yaml

setup: $(READY) ## Install everything into .venv

services: ## Install the servers that the tests start (PostgreSQL, Prometheus, …)
	@tests/install-services

lock: $(TOOLS) ## Choose the newest versions again and write them to requirements*.txt
	@$(LOCK) pyproject.toml --extra all --overrides <(echo "torch ; python_version < '3'") \
		-c <(printf 'protobuf<7\nml-dtypes<0.6\n') -o requirements.txt  # bounds: what the tests' tritonclient takes
	@$(LOCK) --group dev -c requirements.txt -c requirements-torch.txt -o requirements-dev.txt

clean: ## Remove .venv and caches; keeps var/, where your models and data are
	@rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis

# An installed uv is used; otherwise one is put into the environment.
$(READY): pyproject.toml packages/perfcast-client/pyproject.toml requirements.txt requirements-torch.txt
	@echo "setting up $(VENV): once, some minutes the first time, 2 GB of packages …"
	@command -v uv >/dev/null || test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install -q --disable-pip-version-check uv==$(UV_VERSION); }
	@test -x $(BIN)/python || uv venv -q --python $(PYTHON) $(VENV)
	@$(INSTALL) -r requirements.txt -r requirements-torch.txt
	@$(INSTALL) -q --no-deps -e . -e packages/perfcast-client
	@$(BIN)/python -m compileall -q src packages
	@touch $@

$(TOOLS): $(READY) requirements-dev.txt
	@$(INSTALL) -r requirements-dev.txt
	@touch $@
