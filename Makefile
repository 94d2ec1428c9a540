# Each target works in a fresh clone on Debian 12 with Python 3.11 (and Node 20 where the front end is built or tested).
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
UV := .venv/bin/uv
TESTS ?= tests
PYTEST_OPTIONS ?=

.PHONY: help run test test-sqlite test-postgres test-wide test-frontend lint bench bench-quick lock frontend frontend-check services peers

help:
	@echo "make run     DeepCap on this machine, with sample data"
	@echo "make test    every test, browser tests included"
	@echo "make test-wide  the tests over the larger collection of files, where it lies beside the repository"
	@echo "make lint    ruff, import contracts, types, migrations, templates, front end"
	@echo "make bench   the benchmarks; writes BENCHMARKS.md (bench-quick: a short run)"

.venv/uv-installed:
	python3 -m venv .venv || { apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv && python3 -m venv .venv; }
	.venv/bin/pip install -q uv
	touch $@

.venv/runtime-installed: requirements.txt .venv/uv-installed
	$(UV) pip install -q --python $(PYTHON) --require-hashes -r requirements.txt
	touch $@

.venv/dev-installed: requirements-dev.txt .venv/uv-installed
	$(UV) pip install -q --python $(PYTHON) --require-hashes -r requirements-dev.txt
	touch $@ .venv/runtime-installed

# The console's front end and the viewer's: two npm projects, each with its own lock file.
frontends := frontend viewer/frontend
node_modules_stamps := $(frontends:%=%/node_modules/.package-lock.json)
$(node_modules_stamps): %/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

# Our decoders of lossless JPEG and JPEG-LS. DeepCap runs without them, with the slower ones of libraries.
codecs := datasets/imaging/codecs/liblossless.so
$(codecs): $(wildcard datasets/imaging/codecs/*.[ch]) datasets/imaging/codecs/build.sh
	@command -v $${CC:-cc} >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev; }
	datasets/imaging/codecs/build.sh

run: .venv/runtime-installed
	@$(MAKE) --silent $(codecs) || echo "Without a C compiler, lossless JPEG and JPEG-LS are decoded by slower libraries."
	@exec $(PYTHON) manage.py up

test: .venv/dev-installed $(codecs) services test-frontend test-sqlite test-postgres

test-sqlite: $(codecs)
	$(PYTHON) -m pytest $(TESTS) -n 2 --dist loadgroup -m "not wide" $(PYTEST_OPTIONS)

test-postgres: $(codecs)
	$(PYTHON) -m pytest $(TESTS) --on-postgres -n 2 --dist loadgroup -m "postgres and not wide" $(PYTEST_OPTIONS)

# What needs the larger collection of files beside the repository; without it there is nothing to do.
test-wide: .venv/dev-installed $(codecs) services
	@test -d "$${DEEPCAP_SHARED_DATA:-../shared/data}" || { echo "No collection of files beside the repository."; exit 0; }; \
	$(PYTHON) -m pytest $(TESTS) -n 2 --dist loadgroup -m wide $(PYTEST_OPTIONS)

test-frontend: $(node_modules_stamps)
	set -e; for project in $(frontends); do (cd $$project && npm test --silent); done

# Servers and the browser that tests start for themselves; without root, tests that need a missing one say so and skip.
services:
	@tests/install-services.sh

lint: .venv/dev-installed $(node_modules_stamps)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports --no-cache
	.venv/bin/mypy
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) manage.py check
	$(PYTHON) manage.py spectacular --validate --fail-on-warn --file /dev/null
	.venv/bin/djlint --lint --quiet deepcap/templates datasets/templates annotations/templates usage/templates viewer/templates
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	set -e; for project in $(frontends); do (cd $$project && npm run --silent lint); done

# The built front end is committed, so that a machine without Node runs the product too.
frontend: $(node_modules_stamps)
	set -e; for project in $(frontends); do (cd $$project && npm run build); done

frontend-check: frontend
	@! git status --porcelain -- deepcap/static viewer/static | grep .

bench: .venv/dev-installed $(codecs) services peers
	$(PYTHON) -m benchmarks

bench-quick: .venv/dev-installed $(codecs) services peers
	$(PYTHON) -m benchmarks --quick

# What the benchmarks measure against.
peers:
	@benchmarks/install-peers.sh

lock: .venv/uv-installed
	$(UV) pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 requirements.in -o requirements.txt
	$(UV) pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11 requirements-dev.in -o requirements-dev.txt
