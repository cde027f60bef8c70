# Two commands on a fresh machine with Python 3.11 or newer and a C compiler:
#   make demo   the whole chain on the simulated recording that comes with the project
#   make test   the tests, in minutes
# Everything goes into .venv; nothing needs root, a sound card or PortAudio.

PYTHON ?= python3

# Some processes share the tests, a file each at a time.
PYTEST = .venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo setup test test-all flaky lint format bench bundle clean help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1|\2/' \
		| while IFS='|' read -r target text; do printf '%-12s %s\n' "$$target" "$$text"; done

demo: .venv/.run ## set up what a run needs (no torch) and run the demo
	.venv/bin/streamer demo

setup: .venv/.compiled ## set up for development, and run nothing

test: .venv/.compiled ## set up and run the tests
	$(PYTEST) -m 'not slow'

test-all: .venv/.compiled ## the long tests, too, and examples that nobody has tried before
	STREAMER_EXAMPLES=new $(PYTEST)

flaky: .venv/.compiled ## look for tests that fail on a busy machine, some 40 minutes
	.venv/bin/python tests/flaky.py

lint: .venv/.test ## ruff, formatting, types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

format: .venv/.test ## put the code into shape
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: .venv/.run ## measure cost and delay on this machine, a quarter of an hour: drivers, engine, acoustic, soak
	@date=$$(date +%Y-%m-%d_%H-%M-%S); failed=0; for bench in drivers engine acoustic soak; do \
		echo "bench $$bench"; \
		.venv/bin/streamer bench $$bench --out runs/bench_$$date/$$bench || failed=1; \
	done; exit $$failed

bundle: .venv/.test ## rebuild the simulated recording and the bundle that come with the project
	rm -rf build/packaged
	.venv/bin/streamer simulate --corpus build/packaged/recording --preset small
	.venv/bin/streamer simulate --corpus build/packaged/training --preset training
	.venv/bin/streamer train build/packaged/training --session 101-001 --out build/packaged/simulated
	rm -rf drivers/simulator/packaged models/packaged
	mv build/packaged/recording drivers/simulator/packaged
	mv build/packaged/simulated models/packaged

clean: ## remove what was set up and built
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "streamer needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@command -v cc gcc clang >/dev/null \
		|| { echo "pysptk needs a C compiler: apt-get install gcc python3-dev" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# The stamps make a second run fast, and a changed pyproject.toml install again.
.venv/.run: pyproject.toml | .venv/bin/python
	.venv/bin/python -m pip install --quiet --editable .
	@touch $@

# The first run of a session compiles its loops, for ten seconds; the tests start many.
.venv/.compiled: $(shell grep -rl '^@compiled' --include='*.py' models streamer) .venv/.test
	@out=$$(mktemp -d); \
	if .venv/bin/streamer replay --utterance 101-001-0113 --speed max --no-sound --no-screen \
		--out $$out/run >$$out/log 2>&1; then touch $@; \
	else cat $$out/log; echo "loops are not compiled in advance: the tests will take longer"; fi; \
	rm -rf $$out

.venv/.test: pyproject.toml constraints.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --constraint constraints.txt \
		--editable '.[train,simulate,dev]'
	@touch .venv/.run $@
