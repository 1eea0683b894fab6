# Everything a person types. `make help` lists it.
STACK ?= minikube
YES ?=
PYTHON ?= python3
TOOLCHAIN = $(PYTHON) -m toolchain --stack $(STACK) $(if $(YES),--yes)

.DEFAULT_GOAL := help
.PHONY: help up down env install test test-newest e2e cluster-start cluster-stop cluster-down

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## From a bare machine to the running application; prints its URLs
	@$(TOOLCHAIN) up

test: ## Everything that needs no cluster
	@$(TOOLCHAIN) python
	@.venv/bin/python -m pytest
	@$(TOOLCHAIN) app-test

test-newest: ## The program's tests with the newest SDKs that requirements.txt allows
	@$(TOOLCHAIN) python-newest
	@.local/newest-venv/bin/python -m pytest tests/unit tests/program tests/policy

e2e: up ## Deploy, then test the real stack: browser, data, updates, drift, destroy
	@$(TOOLCHAIN) python-e2e
	@eval "$$($(TOOLCHAIN) env)" && STACK=$(STACK) python -m pytest tests/e2e

env: ## Print the shell's variables: eval "$$(make env)"
	@$(TOOLCHAIN) env

install: ## Only the tools and the Python environment
	@$(TOOLCHAIN) install

cluster-start: ## Start the local cluster
	@$(TOOLCHAIN) cluster-start

cluster-stop: ## Stop the embedded cluster; its data stays
	@$(TOOLCHAIN) cluster-stop

cluster-down: ## Remove the embedded cluster with all its data
	@$(TOOLCHAIN) cluster-down

down: ## Remove the application, its data and the embedded cluster (YES=1: without asking)
	@$(TOOLCHAIN) down
