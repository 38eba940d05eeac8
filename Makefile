# First use sets up .venv from the hash-checked lock files; afterwards only what changed is installed again.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet

# Files side by side: the tests wait as much as they compute.
SIDE_BY_SIDE := --numprocesses=auto --maxprocesses=4

.PHONY: demo help test test-rest test-all check words pages bench torture torture-simulated torture-rest lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/.runtime  ## The appliance and a simulated Twilio with a phone in the browser; LISTEN=host:port moves it
	@$(RUN) -m appliance demo

help:  ## These lines
	@awk -F '  ## ' '/^[a-z-]+:.*  ## / { split($$1, name, ":"); printf "  make %-9s  %s\n", name[1], $$2 }' $(MAKEFILE_LIST)

test: $(VENV)/.development  ## The tests, with the laboratory's short form; minutes
	@$(RUN) -m pytest $(SIDE_BY_SIDE) -m "not slow"

test-rest: $(VENV)/.development  ## What `make test` leaves out
	@$(RUN) -m pytest $(SIDE_BY_SIDE) -m slow

test-all:  ## Every test; the rest also after a failure
	@$(MAKE) --no-print-directory --keep-going test test-rest

check: $(VENV)/.development  ## Lint, format, types, layers
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(RUN) -m pytest --quiet tests/test_layers.py

words: $(VENV)/.development  ## After a change of what cards, pages, status or check say: compiles the translations, writes docs/cards*.md
	@$(RUN) -m babel.messages.frontend compile --directory appliance/notices/locale --domain notices
	@$(RUN) -m babel.messages.frontend compile --directory appliance/web/locale --domain pages
	@$(RUN) -m appliance.notices

pages: $(VENV)/.development  ## docs/pages.md and its pictures, from a day with the demo in chromium; minutes
	@$(RUN) -m tests.web.pages.pictures

$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] \
		+ "; name another with PYTHON=python3.x" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
		|| { echo "Python cannot make virtual environments yet: sudo apt install -y python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV), once; this takes a minute ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.runtime
	@echo "Adding the tools for tests, once ..."
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@

LOCK := uv pip compile --universal --generate-hashes --python-version 3.11 --upgrade --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet pyproject.toml

bench: $(VENV)/.development  ## Figures, side by side
	@$(RUN) tests/bench/intake.py
	@$(RUN) -m tests.bench.faq

LAB := LAB_FIGURES=$(CURDIR)/.lab-figures.jsonl LAB_CRASH_POINTS=1000000 LAB_IMAGES=500000 LAB_KILLS=1000 \
	LAB_DELIVERIES=100000 LAB_ORDER=100 LAB_FAULTS=10 LAB_STALL=10 LAB_SWEEPS=1 LAB_TROUBLE=60 LAB_ACCOUNTS=50000 LAB_PERSONS=50000 $(RUN) -m pytest
TIMED := tests/lab/faults tests/lab/test_faults.py tests/lab/test_restore.py
SIMULATED := tests/lab/test_simulation.py

torture: $(VENV)/.development  ## The laboratory's long form (hours); writes tests/lab/README.md from its figures
	@rm -f .lab-figures.jsonl
	@$(LAB) $(TIMED)
	@$(MAKE) --no-print-directory --jobs=2 torture-simulated torture-rest
	@$(RUN) -m tests.lab.readme --complete .lab-figures.jsonl

torture-simulated:
	@$(LAB) $(SIMULATED)

torture-rest:
	@$(LAB) tests/lab tests/test_kill.py tests/test_controls.py $(foreach part,$(TIMED) $(SIMULATED) tests/lab/test_readme.py,--ignore=$(part))
	@LAB_TABLE=8 $(RUN) -m pytest tests/trouble

lock:  ## The newest versions that pyproject.toml allows (needs uv)
	$(LOCK) --group build --output-file requirements.lock
	$(LOCK) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean:  ## Everything that can be made again; ./demo-data stays
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
