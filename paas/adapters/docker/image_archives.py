"""The archive of an image by ``docker save`` on its way to the engine: without names, and measured.

The engine unpacks the layers of an archive to their end, whatever becomes of the one who sent it,
and layers may be compressed; so each is measured before the engine gets the archive's end.
"""

import json
import posixpath
import shutil
import tarfile
from collections.abc import Callable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

from paas.adapters.docker.unpacked_sizes import TooLargeError, unpacked_bytes
from paas.adapters.system.disk_faults import disk_fault
from paas.domain.builds.images import refuse_layers
from paas.domain.values.errors import PaasError
from paas.domain.values.sizes import size_words
from paas.settings import Settings

PIECE_BYTES = 1024**2
MANIFEST = "manifest.json"
MANIFEST_MAX_BYTES = 1024**2
# What names the images of an archive, beside the manifest; the engine does without.
_NAMES = {"repositories", "index.json", "oci-layout"}
# RFC 8878: a frame, and the frames that may be in front of it. Python cannot unpack it.
_ZSTD, _ZSTD_SKIPPED = b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"


def checked_archive(
    settings: Settings, archive: BinaryIO, check: Callable[[], None]
) -> Iterator[bytes]:
    """The archive with the one image in its manifest, without names.

    check: called often; what it raises ends this. Raises PaasError if it is no archive of one
    image, or if the disk has no room for the image.
    """
    layers: list[str] | None = None
    free_bytes = shutil.disk_usage(settings.paths.docker).free - settings.min_free_mib * 2**20
    sizes = _Sizes(max(0, free_bytes), check)
    try:
        with tarfile.open(fileobj=archive, mode="r|*") as source:
            for member in source:
                if member.name in _NAMES:
                    continue
                if member.name == MANIFEST:
                    content, layers = _without_names(_read(source, member))
                    member.size = len(content)
                    yield _header(member) + content + _padding(len(content))
                    continue
                with SpooledTemporaryFile(PIECE_BYTES, dir=str(settings.paths.docker)) as copy:
                    _copy(source, member, copy, check)
                    sizes.add(member, copy)
                    yield _header(member)
                    while piece := copy.read(PIECE_BYTES):
                        yield piece
                if member.isfile():
                    yield _padding(member.size)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        full = disk_fault(error) if isinstance(error, OSError) else None
        raise full or no_image("it is not a complete tar archive") from error
    if layers is None:
        raise no_image("it has no manifest.json")
    sizes.refuse(layers)
    yield bytes(2 * tarfile.BLOCKSIZE)


class _Sizes:
    """What the engine will write: a copy of the archive, and each layer that the manifest names.

    room_bytes: how much there is for both.
    """

    def __init__(self, room_bytes: int, check: Callable[[], None]) -> None:
        self._room_bytes = room_bytes
        self._left_bytes = room_bytes
        self._check = check
        # By path: the size, or where a symbolic link leads.
        self._files: dict[str, int | str] = {}

    def add(self, member: tarfile.TarInfo, content: IO[bytes]) -> None:
        """Measure a member, and leave its content at the beginning."""
        path = _path(member.name)
        if member.issym():
            self._files[path] = member.linkname
        elif member.islnk():
            self._files[path] = self._files.get(_path(member.linkname), 0)
        elif member.isfile():
            self._files[path] = max(self._measured(member, content), member.size)

    def _measured(self, member: tarfile.TarInfo, content: IO[bytes]) -> int:
        content.seek(0)
        head = content.read(len(_ZSTD))
        if head == _ZSTD or head[1:] == _ZSTD_SKIPPED:
            raise no_image("a layer is compressed by zstd, and only gzip, bzip2 and xz are read")
        content.seek(0)
        self._left_bytes -= member.size
        try:
            return unpacked_bytes(cast("BinaryIO", content), max(0, self._left_bytes), self._check)
        except TooLargeError:
            raise self._too_large() from None
        finally:
            content.seek(0)

    def refuse(self, layers: list[str]) -> None:
        """Raises PaasError if they do not fit; the same one may be named several times."""
        if sum(self._of(layer) for layer in layers) > self._left_bytes:
            raise self._too_large()

    def _of(self, layer: str) -> int:
        path = _path(layer)
        for _ in range(len(self._files) + 1):
            folder, found = posixpath.dirname(path), self._files.get(path, 0)
            while folder:
                if folder in self._files:
                    raise no_image("a layer is behind a link to a folder")
                folder = posixpath.dirname(folder)
            if isinstance(found, int):
                return found
            path = _path(posixpath.join(posixpath.dirname(path), found))
        raise no_image("a layer is a link that leads nowhere")

    def _too_large(self) -> PaasError:
        return PaasError(
            "image-too-large",
            "The image does not fit on the server's disk: unpacked, and with the archive itself, "
            f"it takes more than the {size_words(self._room_bytes)} that are there for it.",
            "Use a smaller image, or free space on the server: df -h shows where it is used.",
        )


def no_image(why: str) -> PaasError:
    """The error for an archive that is not an image."""
    return PaasError(
        "image-archive",
        f"This is not an image: {why}.",
        "docker save IMAGE | paas git:load-image -a shop",
    )


def _path(name: str) -> str:
    """Below the folder into which the engine unpacks the archive, which no path leaves."""
    return posixpath.normpath(f"/{name}").lstrip("/")


def _copy(
    source: tarfile.TarFile, member: tarfile.TarInfo, copy: IO[bytes], check: Callable[[], None]
) -> None:
    file = source.extractfile(member) if member.isfile() else None
    while file is not None and (piece := file.read(PIECE_BYTES)):
        check()
        copy.write(piece)


def _read(source: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = source.extractfile(member) if member.isfile() else None
    if file is None or member.size > MANIFEST_MAX_BYTES:
        raise no_image("its manifest.json is no plain file, or too large")
    return file.read()


def _without_names(manifest: bytes) -> tuple[bytes, list[str]]:
    """The manifest, and the layers that it lists."""
    try:
        images: Any = json.loads(manifest)
    except (ValueError, RecursionError) as error:
        raise no_image("its manifest.json is not valid JSON") from error
    if not isinstance(images, list) or not all(isinstance(one, dict) for one in images):
        raise no_image("its manifest.json lists no images")
    if len(images) != 1:
        raise no_image(f"it has {len(images)} images, and an app has one")
    layers = images[0].get("Layers") or []
    if not isinstance(layers, list) or not all(isinstance(layer, str) for layer in layers):
        raise no_image("its manifest.json lists no layers")
    refuse_layers(len(layers))
    return json.dumps([{**images[0], "RepoTags": None}]).encode(), layers


def _header(member: tarfile.TarInfo) -> bytes:
    return member.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)
