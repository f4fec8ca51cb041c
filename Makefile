# The commands of this project. `make` runs the example; `make test` is everything that has to hold.

.DEFAULT_GOAL := run
.PHONY: run test generate bench mutants fuzz

PROFILE ?= release

# A build server keeps its cache outside the clone, so that the next clone finds it.
ifeq ($(CI),true)
export CARGO_TARGET_DIR ?= $(HOME)/.cache/methodical-target
export CARGO_INCREMENTAL ?= 0
endif

## run: build, and serve examples/shop; it prints the address and what to try
# Its data goes to examples/shop/data.db. A faster build for a first look: make run PROFILE=dev
run:
	cargo run --locked --profile $(PROFILE) --package methodical -- serve examples/shop

## test: formatting, lints, rules, documents, licences, every test; ends with `N passed, N failed`
test:
	@scripts/test

## generate: write the documents that are derived from the tables
generate:
	cargo xtask generate

## bench: the table of figures, against bare hyper and raw SQLite; two minutes for single records: make bench BENCH='--quick --records'
bench:
	@scripts/bench $(BENCH)

## mutants: seeded faults one at a time; the tests have to fail for every one
mutants:
	@test -x scripts/mutants || { echo "make mutants: scripts/mutants is not here" >&2; exit 1; }
	@scripts/mutants

## fuzz: the functions that read what strangers send, for a bounded time each
fuzz:
	@test -x scripts/fuzz || { echo "make fuzz: scripts/fuzz is not here" >&2; exit 1; }
	@scripts/fuzz
