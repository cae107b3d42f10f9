# make run                            everything on this machine, from nothing but Python 3.11 or newer
# make run ARGS="--port 9000 --data DIR"
# make test                           lint, types, import rules, all tests on real servers
.DEFAULT_GOAL := help
.PHONY: help run test test-fast check format samples fuzz clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
# In one pip command with everything else: a later install would pull a newer torch with gigabytes of CUDA. Without a
# GPU, `make test TORCH_INDEX=ADDRESS` with the address of PyTorch's own CPU index takes the small CPU builds.
TORCH := torch==2.13.0 torchvision==0.28.0 ultralytics-opencv-headless==8.4.190 "celery[redis]==5.7.0"
TORCH_INDEX ?=
# Two test files at once, in their order: those that restore a backup come before those whose gateways stay connected.
AT_ONCE ?= 2
# PASSIVE: threads of PyTorch that wait must not spin on the cores that the other process needs.
PYTEST = OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest --numprocesses $(AT_ONCE) --dist loadfile --no-loadscope-reorder

help:
	@echo 'make run        start everything on this machine   (ARGS="--port 9000 --data DIR")'
	@echo 'make test       lint, types, import rules, all tests'
	@echo 'make test-fast  unit tests only'
	@echo 'make check      lint, types, import rules'
	@echo 'make format     format the code'
	@echo 'make samples    draw the sample documents again'
	@echo 'make fuzz       thousands of damaged documents     (ARGS="--count 5000")'
	@echo 'make clean      remove the environment and caches; data folders stay'

$(VENV)/.created:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Paraphe needs Python 3.11 or newer, found `python3 --version 2>&1`. Try: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; \
	fi
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; \
	}
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.local: $(VENV)/.created pyproject.toml
	@echo "installing Paraphe (once, and when pyproject.toml has changed) …"
	@$(PIP) -e ".[local]"
	@touch $@

$(VENV)/.test: $(VENV)/.created pyproject.toml
	@echo "installing Paraphe and what its tests need (once, and when pyproject.toml has changed) …"
	@$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) $(TORCH) -e ".[test]"
	@touch $@ $(VENV)/.local

run: $(VENV)/.local
	@exec $(BIN)/paraphe up $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	@tests/install-browser
	@$(BIN)/python -m tests.e2e.web.html_checker
	$(PYTEST) $(ARGS)

test-fast: $(VENV)/.test
	$(BIN)/pytest -m unit $(ARGS)

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

samples: $(VENV)/.test
	$(BIN)/python -m samples.make_samples

fuzz: $(VENV)/.test
	$(BIN)/python -m benchmarks.fuzz_documents $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

include deploy/test-deploy.mk
