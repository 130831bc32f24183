# Fresh machine: Python 3.11+, make and a C++ compiler. Every target sets up what it needs below .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# What only benches compare us with stays apart.
RIVALS := .venv-rivals
QUALITY_RIVALS := .venv-rivals-quality
AUDIT := .venv-audit
# What drives a browser stays apart, too.
BROWSER := .venv-browser
# What the release before left behind; `make previous` stores this one's, when it is released.
PREVIOUS := tests/compat/previous
PROTOS := $(shell find protos -name '*.proto')
MODULES := $(shell find services -name '*.[ch]pp')

.DEFAULT_GOAL := help
.PHONY: help setup demo up test test-unit test-console container-test crash-test index-crash-test index-race-test serve-fault-test watch-test mutants bench-load bench-ingest bench-index bench-serve eval check audit docs metrics-doc format lock previous images compose-up compose-down kind-up minikube-up \
	k8s-trigger clean

help: ## Shows this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: $(READY) ## Installs everything below .venv

$(READY): pyproject.toml requirements.lock hatch_build.py $(PROTOS) $(MODULES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Afín needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Installing into $(VENV) (a minute or two the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## The main job, source to recommendations: DATA=folder, ONCE=1, REPORT=file.json, STATE=folder, FREE_PORTS=1
	@$(BIN)/afin demo $(if $(DATA),--data "$(DATA)") $(if $(ONCE),--once) $(if $(REPORT),--report "$(REPORT)") $(if $(STATE),--state "$(STATE)") $(if $(FREE_PORTS),--free-ports)

up: $(READY) ## The whole suite on this machine until Ctrl-C: LIVE=1, STATE=folder, FREE_PORTS=1
	@$(BIN)/afin up $(if $(LIVE),--live) $(if $(STATE),--state "$(STATE)") $(if $(FREE_PORTS),--free-ports)

test: $(READY) ## All tests: unit, integration, e2e
	@$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

test-unit: $(READY) ## Tests without I/O, in seconds
	@$(BIN)/pytest -q tests/unit

test-console: $(READY) $(BROWSER)/ready ## The console in a browser: scenes, errors, accessibility: PICTURES=folder, REPORT=file.json, CHROMIUM=path
	@command -v $(or $(CHROMIUM),chromium) >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get install -qq -y chromium >/dev/null; } || true
	@PYTHONPATH=$(BROWSER) $(if $(CHROMIUM),CHROMIUM=$(CHROMIUM)) $(BIN)/python -m tests.browser $(if $(PICTURES),--pictures "$(PICTURES)") $(if $(REPORT),--report "$(REPORT)")

$(BROWSER)/ready: tests/browser/requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --target $(BROWSER) --require-hashes -r $<
	@touch $@

crash-test: $(READY) ## Pipelines under kills, cuts and faults, each run compared with the oracle: RUNS=200, SEED=n, REPORT=file.json, KEEP=folder
	@$(BIN)/python -m tests.crash --runs $(or $(RUNS),200) $(if $(SEED),--seed $(SEED)) $(if $(REPORT),--report "$(REPORT)") $(if $(KEEP),--keep "$(KEEP)")

index-crash-test: $(READY) ## Builds and publications of the index under SIGKILL, while it is served: RUNS=50, SEED=n, REPORT=file.json, KEEP=folder
	@$(BIN)/python -m tests.index_crash --runs $(or $(RUNS),50) $(if $(SEED),--seed $(SEED)) $(if $(REPORT),--report "$(REPORT)") $(if $(KEEP),--keep "$(KEEP)")

index-race-test: $(READY) ## Eight publishers of the index race for epochs, on files and on S3: ROUNDS=20, REPORT=file.json
	@$(BIN)/python -m tests.index_races --rounds $(or $(ROUNDS),20) $(if $(REPORT),--report "$(REPORT)")

serve-fault-test: $(READY) ## Serving under swaps, overload, hostile clients, outages and a long load: PART=swaps,overload,hostile,outages,soak, MINUTES=30, SMALL=1, REPORT=file.json, INDEX=folder, KEEP=folder
	@$(BIN)/python -m tests.serving $(if $(PART),--part $(PART)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SMALL),--small) $(if $(REPORT),--report "$(REPORT)") $(if $(INDEX),--index "$(INDEX)") $(if $(KEEP),--keep "$(KEEP)")

watch-test: $(READY) ## A real Prometheus watches a running suite: every question answered, a stalled watermark and an overdue run told, dashboards drawn: PICTURES=folder
	@deploy/monitoring/get-prometheus.sh $(BIN)
	@$(if $(PICTURES),PICTURES="$(abspath $(PICTURES))") $(BIN)/pytest -q tests/e2e -k prometheus

mutants: $(READY) ## Mistakes in the merge of payments, each of which a test must notice: REPORT=file.json
	@$(BIN)/python -m tests.mutants $(if $(REPORT),--json "$(REPORT)")

bench-load: $(READY) $(RIVALS)/ready ## How fast payments are loaded, beside dlt and the prototype: REPORT=file.json
	@$(BIN)/python -m bench.load --rivals $(RIVALS)/bin/python $(if $(REPORT),--report "$(REPORT)")

bench-ingest: $(READY) ## How fast payments come from a source into Parquet, beside requests and pandas: REPORT=file.json
	@$(BIN)/python -m bench.ingest $(if $(REPORT),--report "$(REPORT)")

bench-index: $(READY) ## How long an index takes to build and how much memory, up to 10M payments: REPORT=file.json
	@$(BIN)/python -m bench.index $(if $(REPORT),--report "$(REPORT)")

bench-serve: $(READY) ## How fast recommendations are served, beside bare echo servers: DATA=folder, REPORT=file.json, KEEP=folder, ROUNDS=7, ONLY=given|generated
	@command -v h2load >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get install -qq -y nghttp2-client >/dev/null; } \
	    || echo "bench-serve: goes on without h2load, by which our own load is checked; Debian and Ubuntu have it in nghttp2-client" >&2
	@$(BIN)/python -m bench.serving $(if $(DATA),--data "$(DATA)") $(if $(REPORT),--report "$(REPORT)") $(if $(KEEP),--keep "$(KEEP)") $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))

eval: $(READY) ## How good recommendations are, beside other methods: DATA=folder, REPORT=file.json, PICTURE=file.png, K=10
	@$(MAKE) -s $(QUALITY_RIVALS)/ready || echo "eval: goes on without the library implicit, whose installation failed" >&2
	@$(BIN)/python -m bench.quality $$(test ! -e $(QUALITY_RIVALS)/ready || echo --rivals-python $(QUALITY_RIVALS)/bin/python) $(if $(DATA),--data "$(DATA)") $(if $(REPORT),--report "$(REPORT)") $(if $(PICTURE),--picture "$(PICTURE)") $(if $(K),--k $(K))

$(QUALITY_RIVALS)/ready: bench/quality/rivals/requirements.lock
	@$(PYTHON) -m venv $(QUALITY_RIVALS)
	@$(QUALITY_RIVALS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(RIVALS)/ready: bench/load/rivals/requirements.lock
	@$(PYTHON) -m venv $(RIVALS)
	@$(RIVALS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

check: $(READY) ## Format, lint, types, import rules, protos, manifests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/clang-format --dry-run --Werror $(MODULES)
	@for source in $(filter %.cpp,$(MODULES)); do $(CXX) -std=c++17 -Wall -Wextra -Werror -fsyntax-only $$($(BIN)/python -m pybind11 --includes) $$source || exit 1; done
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/buf lint
	@$(BIN)/buf breaking --against $(PREVIOUS)/protos.binpb
	@$(BIN)/shellcheck -x deploy/*.sh deploy/*/*.sh .ci/run
	@$(BIN)/yamllint --strict deploy buf.yaml .pre-commit-config.yaml .yamllint.yaml
	@deploy/monitoring/get-prometheus.sh $(BIN)
	@$(BIN)/pytest -q tests/unit/deploy

docs: metrics-doc ## Writes docs/reference and docs/metrics.md anew from the code
	@$(BIN)/python -m tests.unit.reference.pages

metrics-doc: $(READY) ## Writes docs/metrics.md anew from the code
	@$(BIN)/python -m tests.unit.deploy.monitoring.metrics

audit: $(AUDIT)/ready ## Known vulnerabilities of what the locks name (asks PyPI's own JSON API, which mirrors seldom have)
	@for lock in requirements.lock deploy/pip.lock deploy/sbom.lock; do \
	    $(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off --requirement $$lock \
	        || { echo "audit: $$lock has what is told above; \"not found on PyPI\": this machine reaches a mirror without PyPI's records, audit where it reaches pypi.org" >&2; exit 1; }; \
	done

$(AUDIT)/ready: Makefile
	@$(PYTHON) -m venv $(AUDIT)
	@$(AUDIT)/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@touch $@

format: $(READY) ## Formats and mends what a tool can mend
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/clang-format -i $(MODULES)
	@$(BIN)/python -m tests.unit.deploy.prometheus_rules

lock: $(READY) ## Writes the lock files anew from pyproject.toml and what images, benches and the browser need (needs `pip install uv`)
	uv pip compile tests/browser/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q -o tests/browser/requirements.lock
	uv pip compile bench/load/rivals/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q -o bench/load/rivals/requirements.lock
	uv pip compile bench/quality/rivals/requirements.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q -o bench/quality/rivals/requirements.lock
	uv pip compile deploy/sbom.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q -o deploy/sbom.lock
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url -q -o requirements.lock

previous: $(READY) ## Stores what this release speaks and keeps, for the next one to be tried with (docs/releasing.md)
	@$(BIN)/python -m tests.compat.store

images: ## Builds the container images
	@deploy/build-images.sh

compose-up: ## The suite in containers, to a recommendation (needs Docker Compose): ACCESS=1
	@ACCESS=$(ACCESS) deploy/compose/up.sh

compose-down: ## Stops it
	@docker compose --file deploy/compose/compose.yaml --profile live down

container-test: $(READY) ## The compose stack in podman without a registry of images, each service stopped under load (Debian, as root): REPORT=file.json, KEEP=folder
	@$(BIN)/python -m tests.containers $(if $(REPORT),--report "$(REPORT)") $(if $(KEEP),--keep "$(KEEP)")

kind-up: ## The suite on a new kind cluster, to a recommendation (needs kind, kubectl and Docker): DRY_RUN=1
	@deploy/k8s/up.sh kind

minikube-up: ## The same on minikube: DRY_RUN=1
	@deploy/k8s/up.sh minikube

k8s-trigger: ## Runs both pipelines through a port-forward, recommends, and tells how to by hand (needs kubectl)
	@deploy/k8s/trigger.sh companies
	@deploy/k8s/trigger.sh recommendations
	@deploy/k8s/recommend.sh

clean: ## Removes what the targets made, the demo's state included
	rm -rf $(VENV) $(RIVALS) $(QUALITY_RIVALS) $(AUDIT) $(BROWSER) afin .afin .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
