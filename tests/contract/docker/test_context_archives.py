"""Archives in a build's context: how large they are unpacked, found out within limits."""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from paas.adapters.docker import context_archives
from paas.adapters.docker.context_archives import refuse_bombs
from paas.adapters.docker.unpacked_sizes import TooLargeError, unpacked_bytes
from paas.domain.values.errors import PaasError
from paas.settings import Settings

MIB = 2**20
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "xz.xz": lambda data: lzma.compress(data[:MIB]) + lzma.compress(data[MIB:]),
}


def tar(*sizes: int) -> bytes:
    """An archive of files of zeros."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for number, size in enumerate(sizes):
            member = tarfile.TarInfo(f"file{number}")
            member.size = size
            archive.addfile(member, io.BytesIO(bytes(size)))
    return made.getvalue()


def sparse(size: int) -> bytes:
    """One whose only file is a hole of that size, in the format of GNU tar."""
    member = tarfile.TarInfo("hole")
    member.type = tarfile.GNUTYPE_SPARSE
    raw = bytearray(member.tobuf(tarfile.GNU_FORMAT)[:512])
    raw[386:410] = b"%011o\0%011o\0" % (size, 0)  # one part: nothing, at the end
    raw[482] = 0
    raw[483:495] = b"%011o\0" % size
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw)
    return bytes(raw) + bytes(1024)


def measured(path: Path, most_bytes: int = 64 * MIB) -> int:
    with path.open("rb") as file:
        return unpacked_bytes(file, most_bytes, lambda: None)


@pytest.mark.parametrize("packer", PACKERS)
def test_each_kind_is_measured(tmp_path: Path, packer: str) -> None:
    """As ADD would unpack it, within the block that ends it."""
    path = tmp_path / "archive"
    path.write_bytes(PACKERS[packer](tar(MIB, 2 * MIB)))
    assert 3 * MIB < measured(path) < 3 * MIB + 32 * 1024
    with pytest.raises(TooLargeError):
        measured(path, 3 * MIB)


def test_holes_count(tmp_path: Path) -> None:
    """They are written out as zeros."""
    path = tmp_path / "archive"
    path.write_bytes(sparse(1000 * MIB))
    with tarfile.open(path) as archive:
        assert archive.getmembers()[0].size == 1000 * MIB
    with pytest.raises(TooLargeError):
        measured(path)


def test_what_is_damaged_or_no_archive(tmp_path: Path) -> None:
    """It is as large as what can be read of it; what is not packed at all has no size."""
    path = tmp_path / "file"
    for data in (gzip.compress(tar(MIB))[:-20], lzma.compress(b"text")[:-8], b"\x1f\x8bnothing"):
        path.write_bytes(data)
        assert measured(path) <= 2 * MIB
    path.write_bytes(b"just a file")
    assert measured(path) == 0


def test_a_dictionary_that_takes_too_much_memory(tmp_path: Path) -> None:
    """It is refused as if it were large."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 512 * MIB}]
    path = tmp_path / "archive"
    path.write_bytes(lzma.compress(b"x", filters=filters))
    with pytest.raises(TooLargeError):
        measured(path)


def test_only_a_dockerfile_that_adds_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its archives together; links in the tree lead nowhere."""
    monkeypatch.setattr(context_archives, "UNPACKED_MAX_BYTES", 3 * MIB)
    settings = Settings(state=tmp_path / "state", min_free_mib=0)
    settings.paths.docker.mkdir(parents=True)
    tree = tmp_path / "tree"
    (tree / "folder").mkdir(parents=True)
    (tree / "one.tgz").write_bytes(gzip.compress(tar(2 * MIB)))
    (tree / "folder/link.tgz").symlink_to(tree / "one.tgz")
    refuse_bombs(settings, tree, b"FROM x\nADD one.tgz /\n", lambda: None)
    (tree / "folder/two.tgz").write_bytes(gzip.compress(tar(2 * MIB)))
    refuse_bombs(settings, tree, b"FROM x\nCOPY one.tgz /\n", lambda: None)
    with pytest.raises(PaasError) as caught:
        refuse_bombs(settings, tree, b"FROM x\nonbuild add one.tgz /\n", lambda: None)
    assert caught.value.reference == "dockerfile-archives"
    assert "more than 3.0 MiB unpacked" in caught.value.message
