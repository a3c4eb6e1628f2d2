"""The one exception that users see: what was found, why it fails, and the next command."""

import errno

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_APP = 20
# How a message goes on that ends with what a process printed.
LAST_LINES = " Its last lines:"


class PaasError(Exception):
    """A failure that a person can act on.

    reference: short stable name for docs and tests, such as ``port-not-opened``.
    message: one line or more; what was found and why it fails.
    hint: the exact next command or change, or None.
    exit_code: 1 failed, 2 wrong usage, 20 no such app.
    """

    def __init__(
        self, reference: str, message: str, hint: str | None = None, exit_code: int = EXIT_FAILED
    ) -> None:
        super().__init__(message)
        self.reference = reference
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    @property
    def summary(self) -> str:
        """What was found, without the lines that a process printed last."""
        return self.message.partition("\n")[0].removesuffix(LAST_LINES).removesuffix(".")


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

    no_inodes: whether the disk takes no more files, which the error does not tell.
    """
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(no_inodes=no_inodes)
    if error.errno == errno.EROFS:
        return PaasError(
            "disk-read-only",
            f"The server's disk cannot be written: {error.filename or 'it'} is read-only.",
            "The server's administrator finds the reason with: mount; dmesg",
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
