"""Archives that become commits, in the sandbox."""

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from paas.domain.git.sources import ArchiveType
from paas.domain.values.errors import PaasError
from tests.contract.builds.importing import APP, MIB, Desk

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root")


def tar(members: Callable[[tarfile.TarFile], object], mode: str = "w") -> bytes:
    """A tar, or with ``w:gz`` a tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        members(archive)
    return out.getvalue()


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", **fields: object) -> object:
    """A member; fields: of its TarInfo."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    archive.addfile(info, io.BytesIO(content))
    return info


def app_tar(archive: tarfile.TarFile) -> None:
    add(archive, "./shop-1.0/Procfile", b"web: serve")
    add(archive, "./shop-1.0/bin/start", b"#!/bin/sh", mode=0o755)
    add(archive, "./shop-1.0/bin/same", type=tarfile.LNKTYPE, linkname="./shop-1.0/bin/start")
    add(archive, "./shop-1.0/current", type=tarfile.SYMTYPE, linkname="bin/../bin/start")
    add(archive, './shop-1.0/odd "name"\\\n\u00e9', b"odd")
    add(archive, "./shop-1.0/.git/config", b"[core]")


APP_FILES = {
    "Procfile": b"web: serve",
    "bin/start": b"#!/bin/sh",
    "bin/same": b"#!/bin/sh",
    "current": b"-> bin/../bin/start",
    'odd "name"\\\n\u00e9': b"odd",
}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_becomes_a_commit(desk: Desk, mode: str) -> None:
    """Without its top folder and git's own files; with links, modes and any names."""
    assert desk.unpack(tar(app_tar, mode)) == APP_FILES
    listing = desk.git("ls-tree", "-r", "main", "bin/start", "current")
    assert [line[:6] for line in listing.splitlines()] == ["100755", "120000"]
    assert any("Left out: 'shop-1.0/.git/config'" in line for line in desk.lines)
    assert (
        desk.git("log", "-1", "--format=%an %ae %s", "main") == "alice alice@example.com An archive"
    )


def test_an_archive_comes_on_top_of_what_is_there(desk: Desk) -> None:
    """Its files take the place of the former ones; the history continues."""
    desk.unpack(tar(app_tar))
    assert desk.unpack(tar(lambda t: (add(t, "a/x", b"1"), add(t, "b", b"2")))) == {
        "a/x": b"1",
        "b": b"2",
    }
    assert len(desk.git("log", "--format=%H", "main").split()) == 2
    desk.git("fsck", "--strict", "--no-dangling")


def test_a_zip_becomes_a_commit(desk: Desk) -> None:
    """With links and modes where a Unix made it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("top/Procfile", "web: serve")
        for name, mode, text in (
            ("top/start", stat.S_IFREG | 0o755, "#!/bin/sh"),
            ("top/link", stat.S_IFLNK | 0o777, "start"),
        ):
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = mode << 16
            archive.writestr(info, text)
    assert desk.unpack(out.getvalue(), ArchiveType.ZIP) == {
        "Procfile": b"web: serve",
        "start": b"#!/bin/sh",
        "link": b"-> start",
    }


def test_an_archive_is_fetched_by_its_address(desk: Desk) -> None:
    """And its limit holds."""
    (desk.shelf / "app.tar.gz").write_bytes(tar(app_tar, "w:gz"))
    assert desk.unpack(f"{desk.address}/app.tar.gz") == APP_FILES
    (desk.shelf / "noise.tar").write_bytes(os.urandom(5 * MIB))
    with pytest.raises(PaasError, match="it is larger than 4 MiB"):
        desk.unpack(f"{desk.address}/noise.tar")


HOSTILE: dict[str, tuple[Callable[[tarfile.TarFile], object], str]] = {
    "dots": (lambda t: add(t, "a/../../x", b"1"), "leads out of the archive"),
    "absolute": (lambda t: add(t, "/etc/x", b"1"), "leads out of the archive"),
    "link out": (
        lambda t: add(t, "a/x", type=tarfile.SYMTYPE, linkname="../../x"),
        "is a link out of the archive",
    ),
    "link to the root": (
        lambda t: add(t, "x", type=tarfile.SYMTYPE, linkname="/etc/shadow"),
        "is a link out of the archive",
    ),
    "hard link out": (
        lambda t: add(t, "x", type=tarfile.LNKTYPE, linkname="etc/shadow"),
        "is a hard link to 'etc/shadow', which is not in the archive",
    ),
    "through a link": (
        lambda t: (add(t, "x", type=tarfile.SYMTYPE, linkname="y"), add(t, "x/z", b"1")),
        "lies below 'x', which is a link",
    ),
    "device": (lambda t: add(t, "x", type=tarfile.CHRTYPE, devmajor=1), "is a device"),
    "fifo": (lambda t: add(t, "x", type=tarfile.FIFOTYPE), "is a FIFO"),
    "many": (lambda t: [add(t, f"f{n}") for n in range(51)], "the limit is 50 files"),
    "empty": (lambda t: None, "no files"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused(desk: Desk, name: str) -> None:
    """Whole, with the member and the reason."""
    members, words = HOSTILE[name]
    with pytest.raises(PaasError, match=words):
        desk.unpack(tar(members, "w:gz"))
    assert desk.repository.head(APP.id, "main") is None


def test_a_bomb_is_refused_before_it_unpacks(desk: Desk) -> None:
    """By what it says it holds, and by what it really does."""
    with pytest.raises(PaasError, match="unpacks to more than 8 MiB"):
        desk.unpack(tar(lambda t: add(t, "zeros", bytes(9 * MIB)), "w:gz"))
    whole = tar(lambda t: add(t, "x", os.urandom(100_000)), "w:gz")
    with pytest.raises(PaasError, match=r"is damaged|is truncated"):
        desk.unpack(whole[:50_000])


def test_a_damaged_archive_is_told(desk: Desk) -> None:
    """However it is damaged: in the compressed data, or in where a zip says that things are."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as zipped:
        zipped.writestr("a", os.urandom(500))
    whole = packed.getvalue()
    for at, wrong in ((60, b"\xff" * 40), (len(whole) - 6, b"\xff" * 4)):
        damaged = whole[:at] + wrong + whole[at + len(wrong) :]
        with pytest.raises(PaasError, match="The archive is damaged"):
            desk.unpack(damaged)


@pytest.mark.parametrize("wrong", ["between", "header", "broken", "checksum", "size"])
def test_a_tar_that_is_not_whole_is_refused(desk: Desk, wrong: str) -> None:
    """Cut off between two members or in a header, or broken: no app with files missing."""
    sizes = {"pax_headers": {"size": "-5"}} if wrong == "size" else {}
    whole = tar(lambda t: (add(t, "a", b"1"), add(t, "b", b"2", **sizes)))
    packed = tar(lambda t: (add(t, "a", b"1"), add(t, "b", b"2")), "w:gz")
    damaged = {
        "between": whole[:1024],
        "header": whole[:1124],
        "broken": whole[:1024] + b"x" * 512 + whole[1536:],
        "checksum": packed[:-8] + b"xxxx" + packed[-4:],
        "size": whole,
    }
    with pytest.raises(PaasError, match="The archive is damaged"):
        desk.unpack(damaged[wrong])
    assert desk.repository.head(APP.id, "main") is None


def test_what_is_no_archive_is_told(desk: Desk) -> None:
    """With its beginning, which often is an error page; so is another type than was said."""
    with pytest.raises(PaasError, match="it begins with '<html>"):
        desk.unpack(b"<html>Not found</html>")
    with pytest.raises(PaasError, match="is not an archive"):
        desk.unpack(b"")
    with pytest.raises(PaasError, match=r"is a tar\.gz, not a zip"):
        desk.unpack(tar(app_tar, "w:gz"), ArchiveType.ZIP)
    with pytest.raises(PaasError, match=r"The input is compressed with xz\."):
        desk.unpack(tar(app_tar, "w:xz"))
    with pytest.raises(PaasError, match="larger than 4 MiB"):
        desk.unpack(os.urandom(5 * MIB))


def test_what_is_not_kept_leaves_nothing(desk: Desk) -> None:
    """No branch, no objects."""
    desk.unpack(tar(app_tar), keep=False)
    assert desk.repository.head(APP.id, "main") is None
    objects = desk.repository.path(APP.id) / "objects"
    assert [path for path in objects.rglob("*") if path.is_file()] == []
