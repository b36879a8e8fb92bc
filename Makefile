# make demo   the example, from nothing: sets up .venv, simulates, replays, prints the warnings, writes the map
# make test   everything the build server runs
# PYTHON=/path/to/python3 chooses the Python for .venv
.POSIX:
.PHONY: help demo test test-fast test-acceptance format lock docs clean

help:
	@sed -n 's/^# make /make /p' Makefile
	@echo "make test-fast   the fast suite alone"
	@echo "make test-acceptance   the whole line, mostly on the recordings beside the checkout"
	@echo "make format      bring the code into shape (ruff)"
	@echo "make lock        pin all dependencies anew"
	@echo "make docs        serve the documentation at http://127.0.0.1:8000"
	@echo "make clean       remove virtual environments and what was built"

demo:
	@echo "== Tocsin demo: sets up a virtual environment in .venv (once), then runs the example into ./demo"
	@sh scripts/venv.sh .venv requirements.txt
	@.venv/bin/tocsin demo

test:
	@echo "== Tocsin tests: sets up .venv (and .venv-3.x for the oldest and the newest Python found), then runs all checks"
	@sh scripts/test.sh

test-fast:
	@sh scripts/venv.sh .venv requirements-dev.txt
	@PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest -q -n auto -m "not acceptance"

test-acceptance:
	@sh scripts/venv.sh .venv requirements-dev.txt
	@.venv/bin/python -m pytest -q -m acceptance

format:
	@sh scripts/venv.sh .venv requirements-dev.txt
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

lock:
	@sh scripts/venv.sh .venv requirements-dev.txt
	@sh scripts/lock.sh

docs:
	@sh scripts/venv.sh .venv requirements-dev.txt
	@.venv/bin/mkdocs serve

clean:
	rm -rf .venv .venv-* build dist site demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
