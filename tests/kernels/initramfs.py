"""The first file system of a virtual machine: busybox, the modules for its disks, and `start`."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.kernels.packages import Kernel

# What is needed until the real root is there; everything else is loaded from it.
_MODULES = (
    *("virtio_pci", "virtio_blk", "virtio_net", "9p", "9pnet_virtio", "overlay"),
    *("crc32c_generic", "ext4"),  # it asks for crc32c by the name of its algorithm
)
_START = Path(__file__).with_name("start")
_UNPACK = {".xz": "xz", ".zst": "zstd"}
_DIRECTORY, _PROGRAM, _FILE = 0o040755, 0o100755, 0o100644


def write_initramfs(kernel: Kernel, words: Iterable[str], path: Path) -> None:
    """Write it for a kernel. words: pytest's arguments; `inside` finds them in ``/arguments``."""
    busybox = subprocess.run(
        ["which", "busybox"], capture_output=True, text=True, check=True
    ).stdout.strip()
    modules = kernel.module_files(_MODULES)
    entries = [(name, _DIRECTORY, b"") for name in ("modules", "proc", "sys", "dev", "root")]
    entries += [
        ("busybox", _PROGRAM, Path(busybox).read_bytes()),
        ("init", _PROGRAM, _START.read_bytes()),
        ("arguments", _FILE, "".join(f"{word}\n" for word in words).encode()),
    ]
    # Their names say in which order `start` loads them.
    for number, module in enumerate(modules):
        entries.append((f"modules/{number:02}.ko", _FILE, _content(module)))
    with path.open("wb") as file:
        for inode, (name, mode, content) in enumerate(entries, 1):
            file.write(_record(name, mode, content, inode))
        file.write(_record("TRAILER!!!", 0, b"", 0))


def _content(module: Path) -> bytes:
    program = _UNPACK.get(module.suffix)
    if program is None:
        return module.read_bytes()
    return subprocess.run(
        [program, "--decompress", "--stdout", module], capture_output=True, check=True
    ).stdout


def _record(name: str, mode: int, content: bytes, inode: int) -> bytes:
    """A file in the format newc.

    Source: https://docs.kernel.org/driver-api/early-userspace/buffer-format.html.
    """
    encoded = name.encode() + b"\0"
    numbers = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % number for number in numbers) + encoded
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
