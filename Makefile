.PHONY: check test lint

check:
	.ci/run

lint:
	tests/lint

test:
	tests/run
