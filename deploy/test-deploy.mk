# Included by the Makefile.
.PHONY: test-deploy
test-deploy: $(VENV)/.test  # what lies in deploy/, checked with the tools that will read it; no daemon, no cluster
	@PYTHON=$(BIN)/python deploy/tools/install
	$(BIN)/pytest tests/deploy tests/integration/notifier/test_alertmanager.py -m deploy $(ARGS)
