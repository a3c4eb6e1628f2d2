"""What the lines of progress and of errors begin with, on terminals and in logs.

Clients on laptops import it for every command, so it imports nothing that takes long.
"""

from paas.domain.values.errors import PaasError

STEP = "-----> "
DETAIL = "       "
WARNING = " !     "


def error_lines(error: PaasError) -> list[str]:
    """An error as lines without their mark: the message with its context, then the hint."""
    return [*error.report.splitlines(), *(error.hint or "").splitlines()]
