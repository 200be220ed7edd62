# Every target sets up what it needs: a virtual environment of its own in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Twice as many as there are cores: half of the tests wait for a server, a settle or a process.
WORKERS := $(shell $(PYTHON) -c 'import os; print(2 * min(os.cpu_count() or 1, 8))')

.PHONY: demo test check bench campaign search clean

demo: $(READY)  ## Plan and apply jobs/ in the sandbox, and show where the jobs stand.
	$(BIN)/shbatch-sync plan
	$(BIN)/shbatch-sync apply --yes --wait
	$(BIN)/shbatch-sync status

test: $(READY)  ## Run the tests.
	$(BIN)/pytest -n $(WORKERS)

check: $(READY)  ## Everything that must be green: lint, format, types, imports, tests, coverage.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n $(WORKERS) --cov --cov-report=
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 --include='$(CORE)'

bench: $(READY)  ## The benchmarks, each as a ratio measured in one run.
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/validate.py 2000
	$(BIN)/python benchmarks/estimate.py --jobs 2000 --parse 50 --distinct 100
	$(BIN)/python benchmarks/listing.py --requests 10000
	$(BIN)/python benchmarks/plan.py --jobs 1000 --live 10000

campaign: $(READY)  ## Thousands of applies under faults; see tests/campaign.
	$(BIN)/python -m tests.campaign --seeds 2000

search: $(READY)  ## Random examples for every property, and 100,000 broken manifests of two kinds.
	SHBATCH_FUZZ=100000 $(BIN)/pytest -n $(WORKERS) --hypothesis-profile=search $(shell grep -rl '^from hypothesis' tests)

clean:
	rm -rf $(VENV) .shbatch/sandbox.* .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

# The pure modules, all that lies directly in the package but what puts edges together: whatever they decide is decided
# by data alone, so every branch can be tested, and is.
EDGES := $(addprefix shbatch_sync/,__main__.py session.py workspace.py)
comma := ,
space := $(subst ,, )
CORE := $(subst $(space),$(comma),$(filter-out $(EDGES),$(wildcard shbatch_sync/*.py)))
