# Everything a checkout needs, from a bare clone on Debian 12 or later:
#
#   make            the list below
#   make demo       sign, verify and tamper with a file; needs Python 3.11 or later, nothing else
#   make test       all tests, the ones against real peers included; installs what is missing
#   make test-lowest  the tests without peers, on the lowest versions of the dependencies
#   make lint       style, types, import contracts
#   make bench      speed, as ratios against peers
#   make man        manual pages, in build/man
#   make docs       the documentation site, in build/docs; a warning is an error
#   make dist        sdist and wheel, in dist, the same bytes wherever and whenever they are made
#   make sbom        what is in an installation, as CycloneDX, in dist
#   make pages      follow the walk-throughs in docs, and put what they print beneath their commands
#   make clean      remove what the others made
#
# PYTHON=python3.12 make test   uses another interpreter (when .venv is made).
# PYTEST="-x -k macs" make test gives pytest further arguments.
# BENCH=--quick make bench     takes minutes in place of a quarter of an hour.

PYTHON ?= python3
PYTEST ?=
BENCH ?=
VENV := .venv
BIN := $(VENV)/bin

# Programs the tests run, each with the Debian package it comes from.
PEERS := dcmsign:dcmtk openssl:openssl faketime:faketime softhsm2-util:softhsm2 pkcs11-tool:opensc certutil:libnss3-tools gcc:build-essential p11-kit:p11-kit chromium:chromium

# A line that runs "$(ROOT) apt-get ..." must have checked with $(CAN_APT) first.
ROOT := $(if $(filter-out 0,$(shell id -u)),sudo -n,)
CAN_APT = command -v apt-get >/dev/null && $(if $(ROOT),sudo -n true 2>/dev/null,true)
APT = $(ROOT) env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv peers demo test test-lowest lint man docs pages dist sbom bench clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed -n '1,/^BENCH/p'

# The stamps live in the environment, so that they go away with it.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    { echo "dsig needs Python 3.11 or later; say which: make PYTHON=/path/to/python3" >&2; exit 1; }
	@# A bare Debian python has no ensurepip: venv fails and leaves half an environment.
	@$(PYTHON) -m venv --clear $(VENV) || { \
	    if $(CAN_APT); then \
	        $(APT) update && $(APT) install -y --no-install-recommends python3-venv && $(PYTHON) -m venv --clear $(VENV); \
	    else false; fi; } || \
	    { rm -rf $(VENV); echo "cannot make $(VENV): apt-get install python3-venv" >&2; exit 1; }

# Dependency groups (PEP 735) need pip 25.1, Debian 12 has 23.
$(VENV)/.stamp-pip: | $(BIN)/python
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'pip>=25.1'
	@touch $@

$(VENV)/.stamp-run: pyproject.toml $(VENV)/.stamp-pip
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@$(BIN)/python -m compileall -q dsig plugins
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml $(VENV)/.stamp-pip
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e . --group dev
	@# as pip does with a wheel: some environments write no bytecode, and would compile at each start
	@$(BIN)/python -m compileall -q dsig plugins
	@touch $@ $(VENV)/.stamp-run

venv: $(VENV)/.stamp-dev

peers:
	@missing=; \
	for peer in $(PEERS); do command -v "$${peer%%:*}" >/dev/null || missing="$$missing $${peer#*:}"; done; \
	if [ -z "$$missing" ]; then :; \
	elif $(CAN_APT); then $(APT) update && $(APT) install -y --no-install-recommends $$missing; \
	else echo "tests against other programs will be skipped; install them with: apt-get install$$missing" >&2; fi

demo: $(VENV)/.stamp-run
	@$(BIN)/dsig demo

test: venv peers
	@$(BIN)/python -m pytest $(PYTEST)

# An environment of its own, beside the one of the other targets.
test-lowest: venv
	@$(PYTHON) -m venv --clear $(VENV)/lowest
	@$(VENV)/lowest/bin/python -m pip install -q --disable-pip-version-check 'pip>=25.1'
	@$(BIN)/python tools/lowest.py > $(VENV)/lowest/constraints.txt
	@$(VENV)/lowest/bin/python -m pip install -q --disable-pip-version-check -c $(VENV)/lowest/constraints.txt -e . --group test
	@$(VENV)/lowest/bin/python -m pytest -q -m 'not interop and not browser and not slow' $(PYTEST)

lint: venv
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

man: venv
	@$(BIN)/python tools/make_man.py build/man

SITE ?= build/docs
docs: venv
	@$(BIN)/python tools/make_diagrams.py --check
	@$(BIN)/sphinx-build -q -E -W --keep-going -b html -d $(SITE)/.doctrees docs $(SITE)

pages: venv peers
	@$(BIN)/python tools/update_pages.py

DIST ?= dist
# The time in the archives is that of the commit, so that they tell nothing of the machine that made them; of a tree
# without history it is the one hatchling takes.
NO_COMMIT := 1580601600
dist: export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(NO_COMMIT))
dist: venv
	@# the wheel is built from the sdist: what that leaves out shows
	@rm -f $(DIST)/dsig-*
	@$(BIN)/python -m build --outdir $(DIST) . >/dev/null
	@cd $(DIST) && sha256sum *.tar.gz *.whl

# Of the wheel and what it needs, installed without a compiler in an environment that has nothing else, pip included.
sbom: export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),$(NO_COMMIT))
sbom: dist
	@$(BIN)/python -m venv --clear --without-pip $(DIST)/clean
	@$(BIN)/python -m pip --python $(DIST)/clean/bin/python install -q --disable-pip-version-check --only-binary :all: $(DIST)/*.whl
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --mc-type library --output-reproducible \
	    --of JSON -o $(DIST)/dsig.cdx.json $(DIST)/clean/bin/python
	@$(BIN)/python tools/check_sbom.py $(DIST)/dsig.cdx.json $(DIST)/clean

bench: venv peers
	@$(BIN)/python benchmarks/run.py $(BENCH)
	@$(BIN)/python benchmarks/html_report.py
	@$(BIN)/python tools/update_comparison.py

clean:
	rm -rf $(VENV) build dist dsig-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
