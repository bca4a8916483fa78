# Every command of the project. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help deps build demo up down status test journey bench fuzz check fmt clean

help: ## list the commands
	@echo "retrace: coredump in, backtrace out"
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

deps: ## install the Debian packages that are missing (root or sudo)
	@.ci/install-packages

build: deps ## build everything, optimised, into .build/release
	@swift build -c release

demo: build ## run the main job on a real crash, everything local to this checkout
	@demo/run

up: build ## start a broker of our own and the six services, below .state/
	@compose/local up

down: ## stop whatever `make up` or `make demo` started
	@compose/local down

status: ## say what runs and where
	@compose/local status

test: deps ## install what the tests need and run all of them, with a broker of their own
	@.ci/test

bench: build ## measure against the peers that run beside us; the table is in BENCHMARKS.md
	@bench/run

fuzz: deps ## fuzz the ways of hostile bytes: archives, cores, requests; FUZZ_SECONDS (60) for each
	@.ci/fuzz

check: deps ## formatting, warnings, the table of arrows, file sizes, translations, the settings for operators
	@swift format lint --strict --recursive Package.swift Sources Tests fuzz
	@.ci/check-arrows
	@.ci/check-sizes
	@.ci/check-translations
	@swift build --build-tests
	@.ci/check-configuration

fmt: ## format every Swift file
	@swift format format --in-place --recursive Package.swift Sources Tests fuzz

clean: down ## remove what was built and the state of the demo
	@rm -rf .build .state
