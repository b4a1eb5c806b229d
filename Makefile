# Every target sets up what it needs in .venv (python packages, pinned by constraints.txt), but for
# test-bare and test-lowest, which have environments of their own.
#
# Variables, on the command line or in the environment:
#   PYTHON=python3.12       interpreter that owns the virtual environment (3.11 or newer); make
#                           test-bare takes several
#   TORCH_INDEX=URL         extra package index, asked for torch too: PyTorch's CPU index
#                           spares the download of the CUDA build (see README.md)
#   PIP_INDEX_ARGS="..."    further arguments for pip install, for example a mirror
#   SEED=N                  seed of the random cases of make test and make soak, and of the faults of
#                           make mutants
#   DATA=PATH               images for make cifar
#   IMAGE=N                 which digit make wave shows, of the first 20
#   PYTEST_ARGS="..."       further arguments for pytest, for example "-k threshold", or --full-sim
#                           for everything that make test leaves to longer runs

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/ready

export PIP_INDEX_ARGS ?=
TORCH_INDEX ?=
PYTEST_ARGS ?=
DATA ?=
IMAGE ?= 0
export SEED ?= 18

# Compiled WebAssembly tools take a minute to prepare: `make clean` leaves them.
export YOWASP_CACHE_DIR ?= $(CURDIR)/.cache/yowasp
# The emitted Verilog must not depend on which Yosys the machine happens to have.
export AMARANTH_USE_YOSYS := builtin

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-bare test-lowest soak mutants sim sim-full sim-shapes wave bench boards asic bench-train lint accuracy sweep cifar clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(READY) ## create .venv with everything (all targets below do)

$(READY): pyproject.toml constraints.txt
	@sh scripts/prerequisites.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --no-compile --disable-pip-version-check --quiet --progress-bar off \
	    $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) $(PIP_INDEX_ARGS) \
	    -c constraints.txt -e '.[all]'
	@touch $@

demo: $(READY) ## train on real digits, build, simulate bit-exactly, route: build/demo/report.html
	$(RUN) -m sim.demo --out build/demo

test: $(READY) ## run the whole test suite, with a reduced set of RTL simulations
	$(RUN) -m pytest $(PYTEST_ARGS)

test-bare: ## install the wheel without extras in an empty environment and run every command
	@sh scripts/bare.sh $(PYTHON)

test-lowest: ## run the tests with the lowest versions of pyproject.toml, without torch
	sh scripts/lowest.sh $(PYTHON) build/lowest
	build/lowest/bin/python -m ruff check .
	build/lowest/bin/python -m pytest --lowest $(PYTEST_ARGS)

soak: $(READY) ## run the tests of random cases with many more of them; SEED=N draws others
	$(RUN) -m pytest -m soak --soak $(PYTEST_ARGS)

mutants: $(READY) ## put single faults into the digits core and see sim.verify notice each; SEED=N draws others
	$(RUN) -m sim.mutants tests/data/digits.safetensors --seed $(SEED) --out build/mutants \
	    --conditions sim/mutants.toml

sim: $(READY) ## run the complete RTL regression alone, every array and spike code
	$(RUN) -m pytest -m sim --full-sim $(PYTEST_ARGS)

sim-full: $(READY) ## simulate a whole 224 x 224 image of E-SpikeFormer-T, weights outside (minutes)
	$(RUN) -m pytest -n 0 --full-sim tests/hw/test_published.py -k whole_image $(PYTEST_ARGS)

sim-shapes: $(READY) ## simulate every layer shape of the published sizes at its true channels
	$(RUN) -m pytest -n 0 --full-sim tests/hw/test_published.py -k true_channels $(PYTEST_ARGS)

wave: $(READY) ## simulate one digit with waves: build/wave/digits.fst, and digits.gtkw for GTKWave
	$(RUN) -m hw.build --target sim --model tests/data/digits.safetensors --out build/wave/core
	$(RUN) -m sim.verify build/wave/core tests/data/digits.safetensors --images digits --image $(IMAGE) \
	    --wave build/wave/digits.fst

bench: $(READY) ## simulate and route what the hardware is judged by, print every target (about an hour)
	$(RUN) -m tests.benchmark.hardware --out build/bench --json build/bench/bench.json

boards: $(READY) ## bitstreams for all boards from digits-tiny, and for ULX3S from digits: a table (40 minutes)
	$(RUN) -m tests.benchmark.boards --out build/boards

asic: $(READY) ## digits 2 x 8 in the cells of OSU018: area, timing, power and energy of four real pictures
	$(RUN) -m tests.benchmark.asic --out build/asic

bench-train: $(READY) ## time a training step, beside the network written plainly and over time steps
	$(RUN) -m tests.benchmark.training

lint: $(READY) ## check the format of the code and the style rules of pyproject.toml
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .

accuracy: $(READY) ## train three seeds on the digits and print the medians
	$(RUN) -m train accuracy --config train/recipes/digits.toml --out build/accuracy --resume

sweep: $(READY) ## train the digits over spike counts and weight widths, print the table
	$(RUN) -m train sweep --config train/recipes/digits.toml --counts 1 2 4 8 --bits 8 4 2 \
	    --epochs 30 15 --out build/sweep --resume

cifar: $(READY) ## train cifar10-nano on DATA=FOLDER_OR_ZIP (hours on a CPU; goes on), export, report
	@test -n "$(DATA)" || { echo "pass DATA=FOLDER_OR_ZIP, with train/CLASS/IMAGE and test/CLASS/IMAGE"; exit 2; }
	$(RUN) -m train fit --config train/recipes/cifar10-nano.toml --data "$(DATA)" \
	    --out build/cifar10/first --threads 2 --resume
	$(RUN) -m train fit --config train/recipes/cifar10-nano.toml --data "$(DATA)" \
	    --init build/cifar10/first/checkpoint.pt --epochs 0 12 --seed 1 \
	    --out build/cifar10 --threads 2 --resume
	$(RUN) -m train export build/cifar10/checkpoint.pt --data "$(DATA)" \
	    --out build/cifar10/cifar10-nano.safetensors
	$(RUN) -m train report build/cifar10/cifar10-nano.safetensors --data "$(DATA)" \
	    --images 1000 --out build/cifar10/report

clean: ## remove what was built; .venv and .cache stay
	rm -rf build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find golden train hw sim tests -name __pycache__ -prune -exec rm -rf {} +
