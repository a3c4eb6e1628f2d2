"""Reading archives: a tar, a tar.gz or a zip, from a URL or from standard input."""

import gzip
import hashlib
import lzma
import stat
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from paas.domain.git.sources import ArchiveType
from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown

DOWNLOAD_LIMIT_S = 600
LINK_MAX = 4096
_CHUNK = 1024**2
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # bz2's error for damage, and a zip with offsets outside of the file
    NotImplementedError,
    RuntimeError,
    ValueError,
)

# Their first bytes, so that a message can name the format.
_NOT_TAKEN = (
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf", "a 7z"),
    (b"Rar!", "a rar"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive. kind: ``file``, ``link`` (symbolic), ``same`` (as the member that
    target names) or a word for an entry that is not accepted. mode: permissions."""

    path: str
    kind: str
    mode: int = 0
    size_bytes: int = 0
    target: str = ""
    content: IO[bytes] | None = None


def download(url: str, target: Path, max_bytes: int) -> None:
    """Download an archive. Raises PaasError."""
    onward = "=https" if url.lower().startswith("https:") else "=http,https"
    argv = [
        *("curl", "--silent", "--show-error", "--fail", "--location", "--max-redirs", "10"),
        *("--proto", "=http,https", "--proto-redir", onward, "--retry", "2", "--globoff"),
        *("--max-time", str(DOWNLOAD_LIMIT_S), "--max-filesize", str(max_bytes)),
        *("--speed-limit", "1000", "--speed-time", "60", "--retry-max-time", "30"),
        *("--output", str(target), "--config", "-"),
    ]
    # Not as an argument, which other users can see: the query may contain a secret signature.
    config = f'url = "{url}"\n'.encode()
    done = subprocess.run(argv, input=config, capture_output=True, check=False)
    # 63: --max-filesize; otherwise the limit of this process's files ended it.
    if done.returncode in {63, -25}:
        raise too_large(f"it is larger than {max_bytes // 1024**2} MiB (setting max_push_mib)")
    if done.returncode != 0:
        # The last line is about the last attempt.
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = lines[-1].removeprefix("curl: ") if lines else ""
        raise PaasError(
            "not-fetched",
            f"{url} could not be fetched: {why or f'curl ended with {done.returncode}'}",
            "Check that the URL is correct and public: curl --fail -L -o /dev/null " + url,
        )


def check(path: Path, sha256: str) -> None:
    """Raises PaasError unless the archive is the one with that checksum."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise PaasError(
            "archive-checksum",
            f"The archive is another one: its SHA-256 is {found}, and not {sha256}.",
            "Upload it again, or correct the checksum.",
        )


@contextmanager
def opened(path: Path, kind: ArchiveType | None) -> Iterator[Iterator[Member]]:
    """The members of an archive; kind: what it must be. Raises PaasError, also while reading."""
    found = _type(path)
    if kind is not None and kind is not found:
        raise PaasError(
            "archive",
            f"The archive is {_article(found)}, not {_article(kind)}.",
            f"paas git:from-archive --archive-type {found}",
        )
    try:
        if found is ArchiveType.ZIP:
            with zipfile.ZipFile(path) as zipped:
                yield _zip_members(zipped)
        elif found is ArchiveType.TAR:
            with tarfile.open(path, "r:") as tar:
                yield _tar_members(tar)
        else:
            with tarfile.open(path, "r:gz") as tar:
                yield _tar_members(tar)
    except _BROKEN as error:
        raise PaasError(
            "archive",
            f"The archive is damaged: {error or type(error).__name__}.",
            "Create it again.",
        ) from error
    except MemoryError as error:
        raise too_large("there is not enough memory to read it") from error


def _type(path: Path) -> ArchiveType:
    """What a file is by its first bytes."""
    with path.open("rb") as file:
        start = file.read(512)
    if start[:4] in {b"PK\3\4", b"PK\5\6"}:
        return ArchiveType.ZIP
    if start[:2] == b"\x1f\x8b":
        return ArchiveType.TAR_GZ
    if start[257:262] == b"ustar" or (len(start) == 512 and not start.strip(b"\0")):
        return ArchiveType.TAR
    other = next((name for magic, name in _NOT_TAKEN if start.startswith(magic)), None)
    begin = shown(start[:40].decode("utf-8", "replace"))
    what = f"begins with {begin}" if start else "is empty"
    raise PaasError(
        "archive",
        f"The input is {other}." if other else f"The input is not an archive: it {what}.",
        "It must be a tar, a tar.gz or a zip: git archive --format=tar.gz HEAD | "
        "paas git:from-archive -",
    )


def _tar_members(tar: tarfile.TarFile) -> Iterator[Member]:
    end = 0
    for entry in tar:
        end = tar.offset  # the next header should be here
        if entry.isreg():
            content = tar.extractfile(entry)
            yield Member(entry.name, "file", entry.mode, entry.size, content=content)
        elif entry.issym():
            yield Member(entry.name, "link", target=entry.linkname)
        elif entry.islnk():
            yield Member(entry.name, "same", entry.mode, target=entry.linkname)
        elif not entry.isdir():
            kind = "device" if entry.isdev() and not entry.isfifo() else "FIFO or the like"
            yield Member(entry.name, kind)
    _check_end(tar, end)


def _check_end(tar: tarfile.TarFile, end: int) -> None:
    """Raise EOFError if a tar is truncated: tarfile takes a missing or broken header for the end.

    A tar ends with a block of zeros. The rest is read as well, for the checksum of a tar.gz.
    """
    assert tar.fileobj is not None
    tar.fileobj.seek(end)
    if tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise EOFError("it is truncated, or damaged in the middle")
    while tar.fileobj.read(_CHUNK):
        pass


def _zip_members(zipped: zipfile.ZipFile) -> Iterator[Member]:
    for entry in zipped.infolist():
        mode = entry.external_attr >> 16 if entry.create_system == 3 else 0
        if entry.is_dir():
            continue
        if entry.flag_bits & 1:
            yield Member(entry.filename, "file with a password")
        elif stat.S_ISLNK(mode):
            with zipped.open(entry) as content:
                target = content.read(LINK_MAX).decode("utf-8", "surrogateescape")
            yield Member(entry.filename, "link", target=target)
        elif stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
            yield Member(entry.filename, "device or the like")
        else:
            with zipped.open(entry) as content:
                yield Member(entry.filename, "file", mode, entry.file_size, content=content)


def _article(kind: ArchiveType) -> str:
    return f"a {kind}"


def too_large(why: str) -> PaasError:
    """An archive above a limit."""
    return PaasError(
        "archive-too-large",
        f"The archive is too large: {why}.",
        "Omit files that the app does not need, such as dependencies and data.",
    )
