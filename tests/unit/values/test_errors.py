"""What an error of the operating system means for people."""

import errno

import pytest

from paas.domain.values.errors import PaasError, disk_failure, with_output
from paas.entrypoints.failure import rendered


@pytest.mark.parametrize(
    ("number", "reference"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EDQUOT, "disk-full"),
        (errno.EROFS, "disk-read-only"),
        (errno.ENOENT, None),
    ],
)
def test_what_it_says_of_the_disk(number: int, reference: str | None) -> None:
    """Where it says nothing of the disk, it is a fault of the platform's own."""
    failure = disk_failure(OSError(number, "-", "/var/lib/paas/x"))
    assert (failure.reference if failure else None) == reference
    if number == errno.ENOSPC:
        told = disk_failure(OSError(number, "-", "/x"), no_inodes=True)
        assert told is not None
        assert "inodes" in told.message
        assert "df -i" in (told.hint or "")
    if number == errno.EROFS:
        assert failure is not None
        assert "/var/lib/paas/x is read-only" in failure.message


def test_what_a_program_printed_is_shown_between_the_message_and_the_hint() -> None:
    """The summary, which is part of other sentences, is without it."""
    error = PaasError("x", "The command failed.", "Try again.", context=["one", "", "two"])
    assert rendered(error) == (
        " !     The command failed. Its last lines:\n"
        " !       one\n !\n !       two\n !     Try again.\n"
    )
    assert error.summary == "The command failed"


def test_what_it_printed_is_shown_without_colors() -> None:
    """Their codes would be escaped, and hide the words."""
    error = PaasError("x", "It failed.", context=["\x1b[31m\x1b[1mWARNING\x1b[0m: [31m"])
    assert error.report == "It failed. Its last lines:\n  WARNING: [31m"


def test_a_program_that_printed_nothing() -> None:
    """The message says so where there is no line."""
    assert with_output("It failed.", []) == "It failed. It printed nothing."
    assert with_output("It failed.", ["x"]) == "It failed."
