"""What a laptop says itself, on stderr, as the server says it."""

import sys


def step(text: str) -> None:
    """Something that is done."""
    sys.stderr.write(f"-----> {text}\n")


def detail(text: str) -> None:
    """More on it."""
    sys.stderr.write(f"       {text}\n")


def warn(text: str) -> None:
    """Something to look at."""
    sys.stderr.write(f" !     {text}\n")
