"""Renders a PaasError for a terminal."""

from paas.domain.values.errors import PaasError
from paas.services.progress import WARNING, error_lines


def rendered(error: PaasError) -> str:
    """The error as lines for stderr: `` !     `` before each, the hint last."""
    return "".join(f"{WARNING}{line}".rstrip() + "\n" for line in error_lines(error))
