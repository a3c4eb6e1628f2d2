"""Renders a PaasError: for a terminal, and for programs."""

from paas.domain.values.errors import PaasError
from paas.domain.values.line_marks import WARNING, error_lines


def rendered(error: PaasError) -> str:
    """The error as lines for stderr: `` !     `` before each, the hint last."""
    return "".join(f"{WARNING}{line}".rstrip() + "\n" for line in error_lines(error))


def plain(error: PaasError) -> dict[str, object]:
    """The error as the web process gets it, which makes an answer of HTTP of it."""
    return {
        "error": {
            "reference": error.reference,
            "exit": error.exit_code,
            "message": error.report,
            "hint": error.hint,
        }
    }
