# make demo: the whole path on generated volumes. make test: the tests. Each sets itself up in .venv first.
PYTHON ?= python3
RUN = .venv/bin/python
OUT ?= demo-output

.PHONY: demo test test-slow check bench clean

demo: .venv/.ready
	$(RUN) -m pcl_core demo --out $(OUT)

test: .venv/.ready
	$(RUN) -m pytest -m "not slow"

# The slow tests that continuous integration runs; "make test-slow SLOW=slow" runs all of them.
SLOW ?= ci_slow
test-slow: .venv/.ready
	$(RUN) -m pytest -m "$(SLOW)"

check: .venv/.ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: .venv/.ready
	$(RUN) -m pcl_core bench

clean:
	rm -rf .venv $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis pclseg.egg-info

.venv/.ready: requirements.lock scripts/setup.sh
	PYTHON=$(PYTHON) sh scripts/setup.sh
