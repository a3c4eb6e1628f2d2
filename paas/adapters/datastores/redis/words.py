"""Splitting a command to Redis that is given as one text."""

import shlex

from paas.domain.values.errors import usage_error


def words_of(statement: str | None) -> list[str]:
    """A command's words, as redis-cli itself would read them from a line."""
    if statement is None:
        return []
    try:
        return shlex.split(statement)
    except ValueError as error:
        raise usage_error(
            "redis-command",
            f"The command cannot be read: {str(error).lower()}.",
            "For example: paas redis:cli -a APP -c 'GET greeting'",
        ) from error
