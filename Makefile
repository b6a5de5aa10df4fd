# `make help` lists the targets.  demo, test, check and bench set up what they need by themselves.

VENV := .venv
PYTHON_BIN := $(VENV)/bin/python
export PYTHON
# Containers often forbid it; without bytecode each of the many short processes of the tests, and each
# process of the test runner, compiles everything anew: half of its time to start.
unexport PYTHONDONTWRITEBYTECODE

# A virtual environment that was copied or moved with its checkout belongs to the old place.
ifneq ($(shell cat $(VENV)/checkout 2>/dev/null),$(CURDIR))
$(shell rm -f $(VENV)/ready-run $(VENV)/ready-dev $(VENV)/ready-page)
endif

# Tests run in four processes, as half of their time is waiting; those of one file stay together,
# as they share servers.
PYTEST := $(PYTHON_BIN) -m pytest -n 4 --dist loadfile
NO_BROWSER := $(if $(shell command -v chromium),,--ignore tests/examples/colors/test_page.py)

.PHONY: help setup page demo test check bench mutants sim docs lock clean

help:
	@echo "make setup     only install crossfade into $(VENV)"
	@echo "make page      build the hub's web page anew, with Node"
	@echo "make demo      three embedded clouds, real traffic, a canary; a cloud dies, nobody notices"
	@echo "make test      all tests"
	@echo "make check     formatting, lint, types, layers"
	@echo "make bench     the performance programs of bench/, each against its target"
	@echo "make mutants   prove that the tests of core/ notice when its rules are broken"
	@echo "make sim       100,000 orders in which things go wrong, each rule looked at; SEED=n tells one again"
	@echo "make docs      write the generated pages of docs/reference again"
	@echo "make lock      resolve the dependencies again, to the newest versions allowed"
	@echo "make clean     remove everything that was made here; state in ~/.local/state/crossfade stays"

setup: $(VENV)/ready-run $(VENV)/ready-page
	@echo "crossfade is $(CURDIR)/$(VENV)/bin/crossfade"

page: $(VENV)/ready-run
	@STRICT=2 tools/page && touch $(VENV)/ready-page

demo: $(VENV)/ready-run $(VENV)/ready-page
	@$(VENV)/bin/crossfade demo

test: $(VENV)/ready-dev $(VENV)/ready-page
	@echo "test: running all tests$(if $(NO_BROWSER), except those of the example's page: there is no chromium)"
	@if [ -n "$(ARGS)" ]; then $(PYTEST) -q $(NO_BROWSER) $(ARGS); else \
		$(PYTEST) -q $(NO_BROWSER) --ignore tests/e2e && \
		echo "test: the whole program, with the machine to itself" && \
		$(PYTHON_BIN) -m pytest -n 2 --dist loadfile -q tests/e2e; fi

check: $(VENV)/ready-dev
	@echo "check: formatting";   $(VENV)/bin/ruff format --check --quiet .
	@echo "check: lint";         $(VENV)/bin/ruff check --quiet .
	@echo "check: layers";       $(VENV)/bin/lint-imports --no-cache >$(VENV)/layers.log || { cat $(VENV)/layers.log; exit 1; }
	@echo "check: types, mypy";  $(VENV)/bin/mypy
	@echo "check: types, pyright"; $(VENV)/bin/pyright

bench: $(VENV)/ready-dev
	@for program in $$(grep -l __main__ bench/*.py); do echo "bench: $$program"; $(PYTHON_BIN) $$program || exit 1; done

mutants: $(VENV)/ready-dev
	@$(PYTHON_BIN) tools/mutants.py

sim: $(VENV)/ready-dev
	@$(PYTHON_BIN) bench/simulation.py $(if $(SEED),--seed $(SEED))

docs: $(VENV)/ready-dev
	@$(PYTHON_BIN) tools/reference.py

LOCK := $(VENV)/bin/uv pip compile --system-certs --universal --python-version 3.11 --upgrade --quiet \
	--generate-hashes --no-header --no-annotate --no-emit-index-url

lock: $(VENV)/ready-dev
	$(LOCK) pyproject.toml -o requirements/run.lock
	$(LOCK) pyproject.toml --group dev -c requirements/run.lock -o requirements/dev.lock
	$(LOCK) requirements/page.in -o requirements/page.lock
	$(LOCK) requirements/tools.in -c requirements/dev.lock -o requirements/tools.lock

clean:
	rm -rf $(VENV) ui/node_modules src/crossfade/api/page build dist bench/results .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/ready-run: requirements/run.lock requirements/tools.lock pyproject.toml tools/setup
	@tools/setup run

$(VENV)/ready-dev: requirements/dev.lock requirements/tools.lock pyproject.toml tools/setup
	@tools/setup dev

PAGE := ui/package.json ui/package-lock.json ui/index.html $(shell find ui/src ui/public -type f)

$(VENV)/ready-page: $(PAGE) tools/page requirements/page.lock
	@tools/page && touch $@
