"""Messages of the client itself, on stderr, in the server's format."""

import sys


def step(text: str) -> None:
    """Print a step."""
    sys.stderr.write(f"-----> {text}\n")


def detail(text: str) -> None:
    """Print a detail."""
    sys.stderr.write(f"       {text}\n")


def warn(text: str) -> None:
    """Print a warning."""
    sys.stderr.write(f" !     {text}\n")
