# machemu: every command works on a fresh clone with Python 3.11, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test check bench images interfaces requirements mutants clean

help:            ## what there is
	@sed -n 's/^\([a-z]*\): .*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

images: $(VENV)/.ready       ## build guest programs and disk images
	$(BIN)/python -m machemu.sdk.build
	$(BIN)/python tools/build_images.py

run: images                  ## boot two nodes and watch the protocol at work
	$(BIN)/machemu boot machemu/_built/images/alpha.img machemu/_built/images/beta.img --steps

test: images                 ## run the tests
	$(BIN)/pytest -n $(JOBS) --dist worksteal -q

check: $(VENV)/.ready        ## ruff, mypy, stale files, arrows between the rooms
	$(BIN)/ruff check machemu tests tools
	$(BIN)/mypy
	$(BIN)/python tools/make_interfaces.py --check
	$(BIN)/python tools/make_wire_header.py --check
	$(BIN)/pytest -q tests/architecture

bench: images                ## measure, with the floors of the same run
	$(BIN)/machemu bench

interfaces: $(VENV)/.ready   ## make what is made from the .defs and the wire schema
	$(BIN)/python tools/make_interfaces.py
	$(BIN)/python tools/make_wire_header.py

requirements: $(VENV)/.ready ## list the requirements with the tests that show each
	$(BIN)/python tools/requirements.py

mutants: images              ## take features out, list the rows whose test survives
	$(BIN)/python tools/mutants.py

clean:           ## remove what was built
	rm -rf build machemu/_built .pytest_cache .mypy_cache .ruff_cache .hypothesis
