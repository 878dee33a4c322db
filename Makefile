# Copyright 2026 The Adamant authors
# SPDX-License-Identifier: Apache-2.0

# Shortcuts for the CMake presets (CMakePresets.json) and tools/setup, which knows the package names.
program := build/release/bin/adamant

.PHONY: $(program) help lab build test test-deep test-python fuzz fuzz-afl soak mutate bench speed peers fidelity loss install clean
help:
	@echo 'make lab        install what is missing, build, and compare the rules on five small workloads'
	@echo 'make test       install what is missing, build, and run the tests'
	@echo 'make test-deep  the tests again: sanitizers, clang, -O0, aarch64 under qemu; formatting and clang-tidy'
	@echo 'make test-python  the tests of the Python package in a venv with the newest torch, TORCH=torch==2.13.0'
	@echo 'make fuzz       look for inputs that break what reads them, for FUZZ_SECONDS=600 with each of eight targets'
	@echo 'make fuzz-afl   the same with AFL++ in place of libFuzzer'
	@echo 'make soak       kill processes, cut power and fail calls for long: SOAK=100 times what make test does'
	@echo 'make mutate     break the library in small ways, MUTANTS=100 of them, and look whether a test fails; hours'
	@echo 'make bench      install what is missing, build, and measure'
	@echo 'make speed      measure this machine for the tables of README.md and docs/formats.md; some minutes, SPEED=--help'
	@echo 'make peers      time steps beside other Python packages: writes docs/benchmarks.md; ten minutes or more'
	@echo 'make fidelity   how accurately compact states follow f32 states: writes docs/fidelity.md'
	@echo 'make loss       what compact formats cost in loss: writes docs/loss.md, takes half an hour'
	@echo 'make build      only build; the program is then $(program)'
	@echo 'make install    build and install the library and the program (DESTDIR=, PREFIX=)'
	@echo 'make clean      remove build/'

lab:
	@tools/setup build
	@$(MAKE) --no-print-directory $(program)
	@$(program) lab
	@echo 'Next: $(program) lab --help; tests with: make test; your own program: README.md'

build: build/release/build.ninja
	@cmake --build --preset release

# Only the program, and what it is made of.
$(program): build/release/build.ninja
	@cmake --build --preset release --target adamant_cli

# Tests and benchmarks need more packages, so they are left out until `make test` puts them in.
build/release/build.ninja:
	@cmake --preset release --log-level=NOTICE -DADAMANT_BUILD_TESTS=OFF -DADAMANT_BUILD_BENCH=OFF

test:
	@tools/setup test
	@cmake --preset release --log-level=NOTICE -DADAMANT_BUILD_TESTS=ON -DADAMANT_BUILD_BENCH=ON
	@cmake --build --preset release
	@tools/run_tests release -LE deep

test-deep:
	@tools/setup deep
	@tools/test_deep

# Of torch, numbered: the wheels without a number bring gigabytes for other devices.
TORCH ?= torch==2.13.0
test-python:
	@tools/setup test
	@tools/test_python '$(TORCH)'

FUZZ_SECONDS ?= 600
fuzz:
	@tools/setup deep
	@tools/fuzz $(FUZZ_SECONDS)

fuzz-afl:
	@tools/setup afl
	@tools/fuzz --afl $(FUZZ_SECONDS)

SOAK ?= 100
soak:
	@tools/setup deep
	@tools/soak $(SOAK)

bench:
	@tools/setup build
	@$(MAKE) --no-print-directory $(program)
	@$(program) bench

speed:
	@tools/setup build
	@$(MAKE) --no-print-directory $(program)
	@bench/speed.py $(SPEED)

peers:
	@tools/setup test
	@cmake --preset release --log-level=NOTICE -DADAMANT_BUILD_TESTS=ON
	@cmake --build --preset release --target adamant_shared adamant_ceiling
	@bench/peers.py --torch '$(TORCH)' $(PEERS)

fidelity:
	@tools/setup test
	@cmake --preset release --log-level=NOTICE -DADAMANT_BUILD_BENCH=ON
	@cmake --build --preset release --target adamant_fidelity
	@build/release/bin/adamant_fidelity >docs/fidelity.md

loss:
	@tools/setup test
	@$(MAKE) --no-print-directory $(program)
	@bench/loss.py $(program) >build/loss.md
	@mv build/loss.md docs/loss.md

MUTANTS ?= 100
mutate:
	@tools/setup test
	@tools/mutate --count $(MUTANTS)

PREFIX ?= /usr/local
install: build
	@cmake --install build/release --prefix $(PREFIX)

clean:
	@rm -rf build
