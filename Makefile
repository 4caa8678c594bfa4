# make demo: the whole path on generated volumes. make test: the tests. make desk: the modules in a window.
# Each sets itself up in .venv first.
PYTHON ?= python3
RUN = .venv/bin/python
OUT ?= demo-output

.PHONY: demo test test-slow test-slicer desk check bench clean screenshots

demo: .venv/.ready
	$(RUN) -m pcl_core demo --out $(OUT)

# Side by side, each on one thread: threads of several trainings are in each other's way.
WORKERS ?= auto
SIDE_BY_SIDE = OMP_NUM_THREADS=1 $(RUN) -m pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal
test: .venv/.bench-ready
	$(SIDE_BY_SIDE) -m "not slow"

# The slow tests that continuous integration runs; "make test-slow SLOW=slow WORKERS=1" runs all of them, one after another:
# those of speed need the machine for themselves.
SLOW ?= ci_slow
test-slow: .venv/.bench-ready
	$(SIDE_BY_SIDE) -m "$(SLOW)"

# The modules on the bench; DESK="--photograph desk.png" takes a picture instead. PythonSlicer is put on the PATH, as Slicer does.
DESK ?=
BENCH = .venv/bench
desk: .venv/.bench-ready
	mkdir -p $(BENCH)
	PATH="$(CURDIR)/$(BENCH)/bin:$$PATH" $(RUN) -m Testing.host.desk --folder $(BENCH) $(DESK)

# The modules' tests inside the real application: make test-slicer SLICER_EXECUTABLE=/path/to/Slicer
MODULE_TESTS ?= $(wildcard Testing/PCLPretrain Testing/PCLSegmentation)
test-slicer:
	@test -n "$(SLICER_EXECUTABLE)" || { echo "Say where 3D Slicer is: make test-slicer SLICER_EXECUTABLE=/path/to/Slicer" >&2; exit 2; }
	"$(SLICER_EXECUTABLE)" --no-splash --ignore-slicerrc --additional-module-paths $(wildcard PCLPretrain PCLSegmentation) \
		--python-script Testing/host/driving/in_slicer.py $(MODULE_TESTS)

# The pictures of the panels in Docs/images/.
screenshots: .venv/.bench-ready
	PCL_SCREENSHOTS=1 $(RUN) -m pytest -m screenshots

check: .venv/.bench-ready
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: .venv/.ready
	$(RUN) -m pcl_core bench

clean:
	rm -rf .venv $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis pclseg.egg-info

.venv/.ready: requirements.lock scripts/setup.sh
	PYTHON=$(PYTHON) sh scripts/setup.sh

.venv/.bench-ready: .venv/.ready requirements-bench.lock scripts/setup_bench.sh
	sh scripts/setup_bench.sh
