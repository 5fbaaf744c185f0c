# guda_ros: what a person runs. `make help` lists it.
#
# Variables, given as NAME=value after make:
#   PYTHON          the Python for .venv, 3.11 to 3.13
#   TORCH_PIP_ARGS  options for pip when it installs PyTorch; `--index-url ADDRESS` with the address of its
#                   CPU builds saves a download of several GB where the package index serves CUDA builds
#   ARGS            more options for `guda demo`, `guda benchmark`, the fuzzer or pytest
#   JOBS            processes that run the tests at once; 0 runs them in one, as a debugger needs it
#   DATA            folder of the initial data, for benchmark-guda
#   BENCHMARKS      names in config/benchmarks, for benchmark-guda

PYTHON ?=
TORCH_PIP_ARGS ?=
# Tests of nodes wait more than they compute, so that one more than there are cores is faster.
JOBS ?= $(shell n=$$(nproc); echo $$((n < 8 ? n + 1 : 8)))
ARGS ?=
DATA ?= data
BENCHMARKS ?= push_ball_to_goal
VENV := .venv/bin
# A file stays in one process, which starts its node graphs once; conftest.py orders the files.
PYTEST := $(VENV)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# The environment of this checkout is complete: nothing of a sourced ROS distribution may leak into it.
ifneq ($(AMENT_PREFIX_PATH)$(ROS_DISTRO),)
unexport LD_LIBRARY_PATH
endif
unexport PYTHONPATH PYTHONHOME AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH
unexport ROS_DISTRO ROS_VERSION ROS_PYTHON_VERSION RMW_IMPLEMENTATION
export OMP_NUM_THREADS ?= 1
# Hundreds of processes of the tests import the same modules: they are compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo benchmark-guda test test-all soak fuzz lint docs notebook clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup:  ## make .venv with everything that is needed (demo and test do it, too)
	@PYTHON='$(PYTHON)' TORCH_PIP_ARGS='$(TORCH_PIP_ARGS)' bash tools/setup.sh

demo: setup  ## the main job: demonstrations, augmentation, training, evaluation, report
	@$(VENV)/guda demo $(ARGS)

benchmark-guda: setup  ## augmentations x algorithms x seeds; goes on where it was stopped; DATA=FOLDER
	@set -e; for name in $(BENCHMARKS); do \
		$(VENV)/guda benchmark $$name --data '$(DATA)' --results benchmark/results --quality $(ARGS); \
	done

# Format, style and types are looked at meanwhile; what they say comes last.
define TESTED
@said=$$(mktemp); $(MAKE) --no-print-directory lint >"$$said" 2>&1 & lint=$$!; \
	trap 'kill $$lint 2>/dev/null; rm -f "$$said"' EXIT; trap 'exit 130' INT TERM; \
	$(PYTEST) $(1) $(ARGS); tests=$$?; \
	wait $$lint || { cat "$$said"; exit 1; }; exit $$tests
endef

test: setup  ## lint, and all tests but the long ones
	$(call TESTED,-m 'not long')

test-all: setup  ## lint, and all tests
	$(call TESTED,)

soak: setup  ## record at full rate for an hour: does memory grow, is a loss not reported?
	@GUDA_SOAK_MINUTES=60 $(VENV)/python -m pytest -s test/nodes/test_recording_soak.py $(ARGS)

fuzz: setup  ## damaged files of every kind, 5000 of each: an hour; ARGS='bag --inputs 500' for less
	@nice -n 10 $(VENV)/python test/fuzz $(ARGS)

lint: setup  ## format, style and types of the Python files
	@$(VENV)/ruff format --check --quiet . || { echo 'make lint: not formatted: ruff format .' >&2; exit 1; }
	@$(VENV)/ruff check --quiet .
	@$(VENV)/mypy

docs: setup  ## the documentation site, into build/docs; warnings are errors
	@$(VENV)/python -m sphinx -q -W --keep-going -n -d build/doctrees docs build/docs
	@echo 'documentation: build/docs/index.html'

notebook: setup  ## execute examples/the_whole_story.ipynb again, in place; a minute of CPU time
	@$(VENV)/python tools/run_notebook.py

clean:  ## remove what builds and tests left; recordings and results in runs/ and .venv stay
	rm -rf build install log dist .pytest_cache .ruff_cache .mypy_cache guda_ros.egg-info
	find . -name .venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
