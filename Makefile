# Everything a person types. `make help` lists it.
STACK ?= minikube
YES ?=
PYTHON ?= python3
# Only a word that says so: YES=no and YES=0 ask like an empty one.
ASSENT = $(if $(filter 1 y Y yes Yes YES true True TRUE,$(YES)),--yes)
OPS = .venv/bin/python -m ops --stack $(STACK)
TOOLCHAIN = $(PYTHON) -m toolchain --stack $(STACK) $(ASSENT)

.DEFAULT_GOAL := help
.PHONY: help bench bench-check up down env install test test-newest lint lock graph export e2e e2e-outages e2e-addons e2e-data addons addons-down cluster-start cluster-stop cluster-down signing-key

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2} \
		substr($$0, 1, 3) == "\043: " {print "  make " substr($$0, 4)}' $(MAKEFILE_LIST)

addons: ## Bring metrics, logs and the like into the stack's cluster: docs/addons.md
	@$(TOOLCHAIN) addons

addons-down: ## Remove them again; shows what, and asks (YES=1: without asking)
	@$(TOOLCHAIN) addons-down

up: ## From a bare machine to the running application (TODO_CACHE=/folder: with what a team has built)
	@$(TOOLCHAIN) $(foreach it,$(REPLACE_DATA),--replace-data $(it)) up

test: ## Everything that needs no cluster
	@$(TOOLCHAIN) python
	@$(TOOLCHAIN) linters
	@$(TOOLCHAIN) test

test-newest: ## The program's tests with the newest SDKs that requirements.txt allows
	@$(TOOLCHAIN) python
	@$(TOOLCHAIN) python-newest
	@.local/newest-venv/bin/python -m pytest -n auto --maxprocesses 8 --dist loadfile tests/unit tests/program tests/policy tests/addons

lint: ## Formatting and style of all Python code, and types (of apps/ and examples/: make test)
	@$(TOOLCHAIN) python-lint
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/pyright

graph: ## Draw what the program declares: docs/images/architecture.svg (OUT=file)
	@$(TOOLCHAIN) python
	@.venv/bin/python -m tools.graph --stack $(STACK) $(if $(OUT),--out $(OUT))

export: ## Write the stack for others than Pulumi: plain manifests, a Helm chart (OUT=folder)
	@$(TOOLCHAIN) python
	@.venv/bin/python -m tools.export --stack $(STACK) $(if $(OUT),--out $(OUT))

lock: ## Renew requirements.lock after a change of pyproject.toml (needs uv)
	@$(TOOLCHAIN) lock

# Apart, because a cluster takes a minute or two to get over it.
OUTAGES = tests/e2e/test_api_server.py

e2e: up ## Deploy, then test the real stack: browser, network, updates, operations, destroy
	@$(TOOLCHAIN) python-e2e
	@eval "$$($(TOOLCHAIN) env)" && STACK=$(STACK) python -m pytest --tb=short --durations=15 tests/e2e --ignore $(OUTAGES)

e2e-outages: up ## The operations while the embedded cluster's API server is stopped and started
	@$(TOOLCHAIN) python-e2e
	@eval "$$($(TOOLCHAIN) env)" && STACK=$(STACK) python -m pytest $(OUTAGES)

e2e-addons: addons ## The add-ons on the real cluster, each with the application's stack full
	@$(MAKE) up STACK=full
	@$(TOOLCHAIN) python-e2e
	@eval "$$($(MAKE) --no-print-directory env STACK=full)" && STACK=full ADDONS_STACK=$(STACK) python -m pytest tests/e2e_addons

e2e-data: up ## Failover, recovery to a moment and moves of a database that CloudNativePG runs (needs its add-on)
	@$(TOOLCHAIN) python-e2e
	@eval "$$($(TOOLCHAIN) env)" && STACK=$(STACK) python -m pytest tests/e2e_data

# ROWS=first,requests measures those alone; RUNS=1 runs each once.
BENCH = python -m bench --stack $(STACK) $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS))

bench: ## Measure this program beside its peers on the stack's cluster: docs/performance.md
	@$(TOOLCHAIN) python-bench
	@eval "$$($(TOOLCHAIN) env)" && $(BENCH)

bench-check: ## Measure, and say what got worse than docs/performance.md says
	@$(TOOLCHAIN) python-bench
	@eval "$$($(TOOLCHAIN) env)" && $(BENCH) --check

# The operations CLI, a line for each command of `python -m ops` (docs/operations.md).
#: release         What make up does once all is there: preview, guard, back up, update, validate
#: validate        Check everything that is deployed: one table, one verdict
#: status          Pods, what they use, volumes and addresses
#: logs            Follow the logs of all pods
#: forward         Forward the services to localhost:3000, 8000 and 5432
#: open            Open the application in the browser
#: shell-db        psql on the database
#: backup          Back up the database now
#: backups         List the backups
#: restore-drill   Prove that the newest backup can be restored
#: restore         Put the newest backup in place, or DUMP=name, or TO=time (YES=1: without asking)
#: switchover      Let another of an operator's database servers take the writes, or TO=pod (YES=1: without asking)
#: move-database   Move the database to the kind of server that the settings name (TO=operator or inCluster, YES=1)
#: rotate-password Change the database password while the application runs (YES=1: without asking)
#: rotate-jwt-key  Change the key that signs sessions; nobody is signed out
#: sync-secrets    Bring changed secrets from the external store to pods and database
#: separate-roles  Take superuser rights from the application's role (YES=1: without asking)
#: upgrade-database PostgreSQL's next major version, and back: docs/operations.md (YES=1: without asking)
#: drift           Show what was changed behind Pulumi's back
#: history         Show what was deployed when, and how to go back
OPERATIONS := $(shell awk '$$1 == "\043:" {print $$2}' $(firstword $(MAKEFILE_LIST)))
OPTIONS =
.PHONY: $(OPERATIONS) ops-install

$(OPERATIONS): ops-install
	@$(OPS) $@ $(OPTIONS)

logs: OPTIONS = --follow --since 10m
release rotate-password rotate-jwt-key separate-roles upgrade-database: OPTIONS = $(ASSENT)
restore: OPTIONS = $(if $(DUMP),--dump '$(DUMP)') $(if $(TO),--to '$(TO)') $(ASSENT)
restore-drill: OPTIONS = $(if $(DUMP),--dump '$(DUMP)')
switchover move-database: OPTIONS = $(if $(TO),--to '$(TO)') $(ASSENT)

ops-install:
	@$(TOOLCHAIN) python-ops

signing-key: ## Make the key pair that a stack's images are signed with: docs/deployment.md
	@$(TOOLCHAIN) signing-key

env: ## Print the shell's variables: eval "$(make env)"
	@$(TOOLCHAIN) env

install: ## Only the tools and the Python environment
	@$(TOOLCHAIN) install

cluster-start: ## Start the stack's local cluster
	@$(TOOLCHAIN) cluster-start

cluster-stop: ## Stop the stack's local cluster; its data stays
	@$(TOOLCHAIN) cluster-stop

cluster-down: ## Remove the local cluster that make up made, with all in it (YES=1: without asking)
	@$(TOOLCHAIN) cluster-down

down: ## Remove the application with its data; shows what, and asks (YES=1: without asking)
	@$(TOOLCHAIN) down
