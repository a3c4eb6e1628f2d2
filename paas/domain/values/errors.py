"""What users see of a failure: what failed and why, what was printed, and what to do."""

import errno
import re
from collections.abc import Sequence

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_APP = 20
_COLOR = re.compile(r"\x1b\[[0-9;]*m")


class PaasError(Exception):
    """A failure that a person can act on.

    reference: short stable name for docs and tests, such as ``port-not-opened``.
    message: one line or more; what failed and why.
    hint: the exact next command or change, or None.
    exit_code: 1 failed, 2 wrong usage, 20 no such app.
    context: the last lines that the program in question printed; kept without colors.
    """

    def __init__(
        self,
        reference: str,
        message: str,
        hint: str | None = None,
        exit_code: int = EXIT_FAILED,
        *,
        context: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.reference = reference
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
        self.context = tuple(map(without_colors, context))
        for line in self.context:
            self.add_note(line)  # tracebacks have it, too

    @property
    def summary(self) -> str:
        """The message's first line, to be part of a sentence."""
        return self.message.partition("\n")[0].removesuffix(".")

    @property
    def report(self) -> str:
        """The message, and below it the context."""
        if not self.context:
            return self.message
        lines = "".join(f"\n  {line}" for line in self.context)
        return f"{self.message} Its last lines:{lines}"


class ProgramFailedError(PaasError):
    """A program exited with another status than 0."""


class TimedOutError(PaasError):
    """A program did not end within its limit, and was stopped."""


class OutOfMemoryError(PaasError):
    """A command was killed because it needs more memory. limit_mib: 0 where it has no limit."""

    def __init__(self, reference: str, message: str, limit_mib: int) -> None:
        super().__init__(reference, message)
        self.limit_mib = limit_mib


class NoBuildpackError(PaasError):
    """No buildpack fits what is to be built."""


class NoSuchCommitError(PaasError):
    """A repository does not have a commit."""


class BackupMissingError(PaasError):
    """There is no object of that name among the backups."""


class StoreLockedError(PaasError):
    """Another program keeps the server's database locked for too long."""


class StoreFaultError(PaasError):
    """The server's database is not as it should be: missing, foreign, older or damaged."""


class StoreForeignError(StoreFaultError):
    """The database is that of another installation."""


class StoreOlderError(StoreFaultError):
    """The database is an older copy."""


class StoreKeyError(StoreFaultError):
    """The server's key is missing or does not open the secrets in the database."""


def without_colors(text: str) -> str:
    """A line of a program without what colors it (ECMA-48, SGR)."""
    return _COLOR.sub("", text)


def with_output(message: str, printed: Sequence[str]) -> str:
    """The message of an error that has a program's last lines as its context."""
    return message if printed else f"{message} It printed nothing."


def usage_error(reference: str, message: str, hint: str | None = None) -> PaasError:
    """An input that breaks a rule of its form (exit 2)."""
    return PaasError(reference, message, hint, EXIT_USAGE)


def no_such_app(name: str) -> PaasError:
    """An app that does not exist, or that this user may not see: the same words for both."""
    return PaasError(
        "no-such-app",
        f"There is no app {name!r}, or you have no access to it.",
        "List your apps with: paas apps",
        EXIT_NO_APP,
    )


def disk_failure(error: OSError, *, no_inodes: bool = False) -> PaasError | None:
    """What an error says of the server's disk, wherever it comes up; None: nothing.

    no_inodes: whether the disk is out of inodes, which the error does not say.
    """
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(no_inodes=no_inodes)
    if error.errno == errno.EROFS:
        return PaasError(
            "disk-read-only",
            f"The server's disk cannot be written: {error.filename or 'it'} is read-only.",
            "The server's administrator can find the reason with: mount; dmesg",
        )
    return None


def disk_full(*, no_inodes: bool = False) -> PaasError:
    """The answer where there is no room: for more bytes, or for more files."""
    if no_inodes:
        return PaasError(
            "disk-full",
            "The server's disk takes no more files: all of its inodes are in use, whatever space "
            "is free.",
            "Delete some files on the server (df -i shows where), then try again.",
        )
    return PaasError(
        "disk-full",
        "The server's disk is full.",
        "Free some space on the server (df -h shows where), then try again.",
    )
