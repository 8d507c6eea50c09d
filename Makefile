# make setup            an environment in .venv, for working on LayerGraph
# make build SPEC=...   compile one architecture (ARGS=... goes to the command as it is)
# make quick            what a change touches, in under a minute (ARGS='--base HEAD~1 --seconds 20')
# make test             all that a change must pass; `make check` is the part that runs no test
# make test-reference   the architectures against those that others wrote; part of `make test`
# make test-deep        the tests by random examples on many more of them, and modules in all modes; the site
# make fuzz             random specs against the interpreter, for 5 minutes (ARGS="--seeds 0:20000 --minutes 60"; ARGS=--matrix; ARGS="--types --seeds 5000000:5010000"; ARGS="--causality --seeds 0:10000"; ARGS="--mutants --seeds 0:50000"; ARGS=--large)
# make planted          faults planted in lowering, one at a time, and what notices each (ARGS='--minutes 10 --only ties')
# make bench            the measurements
# make results          train the architectures on real data, and write docs/results.md
# make docs             what is generated under docs/
# make release          the wheel of the last commit, in dist/, tried in a clean environment
# make site            the documentation as a site with diagrams, in build/site/; `make site-serve` shows it as it is written
# make zoo              a diagram of every architecture, in build/zoo/
# make clean            remove what was built, but not .venv

PYTHON ?= python3
JOBS ?= 2
# Processor time that all tests may take, in seconds: about 650 on two quiet cores, where 600 is the aim, and half as much
# again on a busy machine.
MOST_SECONDS ?= 1000

bin := .venv/bin
# Python compiles what it imports, a small part of what is installed.
pip := $(bin)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
# What is installed is what these two files say; a change to either installs again.
pinned := pyproject.toml constraints.txt
compiler := .venv/compiler.stamp
runtime := .venv/runtime.stamp
dev := .venv/dev.stamp
reference := .venv/reference.stamp
bench := .venv/bench.stamp

# Python keeps what it has compiled of torch and all else, whatever the caller's environment says: compiling that again
# in every process took a fifth of the tests' time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup build quick test test-reference test-deep fuzz planted check bench results docs site site-serve zoo release clean
.DELETE_ON_ERROR:

setup: $(dev)

# Enough to compile: `build` waits neither for torch nor for the tools of development.
$(compiler): $(pinned)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'LayerGraph needs Python 3.11 or later: make PYTHON=python3.11' >&2; exit 1; }
	test -x $(bin)/python || $(PYTHON) -m venv .venv
	$(pip) --editable .
	touch $@

# Enough to train and run.
$(runtime): $(compiler)
	$(pip) torch  # first and alone: no other package gets to choose its version
	$(pip) --editable '.[pdf,train]'
	touch $@

$(dev): $(runtime)
	$(pip) --editable '.[dev]'
	$(bin)/python -c 'import lightning_fabric, torch._dynamo, transformers'  # compiled here, not by each worker
	touch $@

# Beside the environment, and without what they ask for: see pyproject.toml.
$(reference): $(dev)
	$(pip) --no-deps --upgrade --target .venv/reference $$($(bin)/python -c \
		'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["reference"])')
	touch $@

$(bench): $(runtime)
	$(pip) --editable '.[bench]'
	touch $@

build: $(compiler)
	@test -n '$(SPEC)' || { echo 'usage: make build SPEC=specs/gpt2.yaml' >&2; exit 2; }
	$(bin)/python cli.py build $(SPEC) $(ARGS)

check: $(dev)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

quick: $(dev)
	OMP_NUM_THREADS=1 $(bin)/python -m bench.quick $(ARGS)

# Each worker computes on one thread, or the workers fight over the cores.
test: check $(reference)
	OMP_NUM_THREADS=1 $(bin)/python -m pytest --numprocesses $(JOBS) --dist worksteal \
		--most-seconds $(MOST_SECONDS)

test-reference: $(reference)
	OMP_NUM_THREADS=1 $(bin)/python -m pytest tests/reference --numprocesses $(JOBS)

# Every architecture in every test and mode, and far more random examples: for a night.
test-deep: $(dev) site
	OMP_NUM_THREADS=1 $(bin)/python -m pytest tests/ops tests/properties tests/generated tests/compiler tests/runtime \
		tests/reference tests/test_features.py --deep --hypothesis-profile=deep --numprocesses $(JOBS)

# What differs is written to build/fuzz, shrunk.
fuzz: $(dev)
	OMP_NUM_THREADS=1 $(bin)/python -m tests.fuzz --processes $(JOBS) $(ARGS)

planted: $(dev)
	OMP_NUM_THREADS=1 $(bin)/python -m tests.fuzz.planted $(ARGS)

bench: $(bench)
	$(bin)/python -m bench $(ARGS)

results: $(runtime) $(reference)
	$(bin)/python -m bench.results $(ARGS)

docs: $(dev) $(reference)
	$(bin)/python -m compiler.reporting.ops_page
	$(bin)/python -m compiler.reporting.tasks_page
	$(bin)/python -m compiler.reporting.errors_page
	$(bin)/python -m compiler.reporting.stepping_page
	$(bin)/python -m bench.step_lines
	$(bin)/python -m bench.zoo
	$(bin)/python cli.py diagram specs/gpt2.yaml -o docs/images/gpt2.svg
	$(bin)/python cli.py diagram docs/examples/conv_mixer.yaml -o docs/images/conv_mixer.svg

# Whatever is wrong ends it: a broken link, a spec with errors, something loaded from elsewhere.
site: $(dev)
	NO_MKDOCS_2_WARNING=1 $(bin)/python -m mkdocs build --quiet
	$(bin)/python -m bench.site.check_site

site-serve: $(dev)
	NO_MKDOCS_2_WARNING=1 $(bin)/python -m mkdocs serve --no-strict

zoo: $(runtime)
	$(bin)/python -m bench.zoo --diagrams

release: $(compiler)
	$(bin)/python -m bench.release

clean:
	rm -rf build dist ./*.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
