"""The files of an image that needs no registry: this machine's own Python, shell, and little else.

Only the standard library is needed here: the benchmarks use it, too.
"""

import io
import os
import re
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

_DYNAMIC = "python3*/lib-dynload"
# What the commands of tests need; a shell, and the little that they call.
_PROGRAMS = (
    *("/bin/sh", "/bin/sleep", "/bin/cat", "/bin/ls", "/usr/bin/id", "/usr/bin/env"),
    *("/usr/bin/setsid", "/usr/bin/python3"),
)


def root_file_system(
    programs: Sequence[str] = _PROGRAMS, modules: Sequence[str] = (), *, with_python: bool = True
) -> bytes:
    """A tar archive with these programs, the libraries that they need, and Python's modules.

    modules: those of Python's that need libraries of their own, such as ``_ssl``.
    """
    paths = set(programs)
    needed = [
        str(path) for name in modules for path in Path("/usr/lib").glob(f"{_DYNAMIC}/{name}.*")
    ]
    for program in (*programs, *needed):
        shown = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        paths |= set(re.findall(r"(/\S+) \(0x", shown.stdout))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("app", "tmp", "proc", "sys", "dev", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder in {"app", "tmp"} else 0o755
            archive.addfile(entry)
        for path in sorted(paths):
            archive.add(os.path.realpath(path), arcname=path.lstrip("/"))
        library = Path("/usr/lib/python3.11")
        if with_python and library.exists():
            archive.add(library, arcname=str(library).lstrip("/"), filter=_wanted)
    return buffer.getvalue()


def fill_root(target: Path, modules: Sequence[str] = ()) -> None:
    """In place of debootstrap: a directory with what `root_file_system` has, and bash."""
    content = root_file_system((*_PROGRAMS, "/bin/bash", "/bin/ls"), modules)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(target)
    (target / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")


def _wanted(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    left_out = ("__pycache__", "test", "idlelib", "lib2to3", "pydoc_data", "ensurepip", "tkinter")
    return None if any(f"/{word}" in entry.name for word in left_out) else entry
