"""The forms of PostgreSQL dumps, detected by their first bytes."""

from enum import Enum

from paas.adapters.datastores.spool import Spool
from paas.domain.values.errors import PaasError

_CUSTOM = b"PGDMP"
_HEAD, _TAIL = 1_024, 4_096
_TAR_END = 1_024
_END = b"-- PostgreSQL database dump complete"
_END_OF_ALL = b"-- PostgreSQL database cluster dump complete"
_HOW = "See docs/how-to/import-a-database.md; for example: pg_dump -Fc --no-owner --no-acl"


class Form(Enum):
    """ARCHIVE: what pg_restore reads, custom or tar. PLAIN: SQL that psql reads."""

    ARCHIVE = "archive"
    PLAIN = "plain"


def form_of(dump: Spool) -> Form:
    """The form of a dump that is not compressed, or no longer.

    Raises PaasError if it is not a dump, or is incomplete as far as that is visible without a
    program.
    """
    head = dump.head(_HEAD)
    if not head:
        raise PaasError("dump-not-loaded", "The dump is empty.", _HOW)
    if head.startswith(_CUSTOM):
        return Form.ARCHIVE
    if head.startswith(b"toc.dat\0") and head[257:262] == b"ustar":
        if dump.tail(_TAR_END) != bytes(_TAR_END):
            raise _cut("a tar file ends with two empty blocks")
        return Form.ARCHIVE
    if b"\0" in head:
        raise PaasError(
            "dump-not-loaded",
            "This is not a PostgreSQL dump in the custom or tar format or as plain SQL, whether "
            "uncompressed or compressed with gzip or zstd.",
            _HOW,
        )
    if head.lstrip().startswith((b"-- MySQL dump", b"-- MariaDB dump", b"/*!999999")):
        raise PaasError("dump-not-loaded", "This is a dump of MySQL or MariaDB.", _HOW)
    tail = dump.tail(_TAIL)
    if _END_OF_ALL in tail:
        raise PaasError("dump-not-loaded", "This is a dump of a whole server, by pg_dumpall.", _HOW)
    if _END not in tail:
        raise _cut(
            "plain SQL of pg_dump ends with '-- PostgreSQL database dump complete'; other SQL is "
            "run with: paas pg:psql < FILE"
        )
    return Form.PLAIN


def _cut(why: str) -> PaasError:
    return PaasError("dump-not-loaded", f"The dump is incomplete: {why}.", _HOW)
