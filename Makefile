# Two commands do everything on a fresh machine with Python >= 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test setup setup-test setup-docs docs lint types tests coverage mutants test-oldest dist torture fuzz clean

demo: setup
	$(BIN)/simgauge demo --out demo-report

test: setup-test lint types docs coverage

setup: $(VENV)/.core
setup-test: $(VENV)/.test
setup-docs: $(VENV)/.docs

$(VENV)/.core: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lint,test]'
	sh scripts/browser.sh
	touch $@

$(VENV)/.docs: $(VENV)/.core
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

lint: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup-test
	$(BIN)/mypy

tests: setup-test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# The same tests with the branches they take; below the share that pyproject states this fails.
coverage: setup-test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered

# The documentation, in build/docs/index.html: every example is executed at every call (-E: a page that failed before must
# not pass as unchanged), and a warning or a broken link is an error. No network.
docs: setup-docs
	PATH="$(abspath $(BIN)):$$PATH" OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx -E -W --keep-going -q -j 2 docs build/docs

# Small faults put into the source one at a time: which do the tests of their folder see? By hand; an hour.
mutants: setup-test
	mkdir -p build
	$(BIN)/python scripts/mutants.py --sample 80 --out build/mutants.json

# The oldest supported versions of what simgauge needs, in an environment of their own, without any extra. By hand.
test-oldest: setup-test
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/oldest
	$(BIN)/uv pip install --quiet --python build/oldest/bin/python --resolution lowest-direct --editable . \
	  'pytest>=8.3' 'hypothesis>=6.120' 'pandas>=2.2' 'polars>=1.20' 'jsonschema>=4.20'
	SCIPY_ARRAY_API=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 build/oldest/bin/python -m pytest -q -p no:cacheprovider tests

# Commands killed and interrupted at random moments: nothing may be lost, mixed or left behind. By hand; half an hour.
torture: setup-test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/torture.py --rounds 100
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/torture.py --stores 20

# 100,000 files of every format, changed at random: errors made for people or content, nothing else. By hand; half an hour.
fuzz: setup-test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python tests/fuzz.py --files 100000

# Wheel and sdist: built, checked, installed where nothing else is, and used once. By hand, before a release.
dist: setup
	$(BIN)/python -m pip install --quiet '.[release]'
	rm -rf dist build/smoke
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv build/smoke
	build/smoke/bin/python -m pip install --quiet dist/*.whl
	cd build/smoke && bin/simgauge demo --out demo-report && test -s demo-report/report.html
	du -sm build/smoke/lib/python3*/site-packages
	build/smoke/bin/python -m pip list --format=freeze | wc -l

clean:
	rm -rf $(VENV) demo-report .pytest_cache .mypy_cache .ruff_cache
