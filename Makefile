.PHONY: check test lint

check: lint test

lint:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	git ls-files | xargs awk 'FNR == 1 && /^#!.*sh$$/ { print FILENAME }' | \
		xargs .venv/bin/shellcheck --external-sources --source-path=SCRIPTDIR

test:
	tests/run
