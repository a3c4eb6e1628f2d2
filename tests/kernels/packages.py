"""Kernels out of Debian packages: the image and its modules, which Ubuntu has in several."""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel that was unpacked.

    version: as ``uname -r`` prints it. modules: the directory that has a directory of that name.
    """

    version: str
    image: Path
    modules: Path

    def module_files(self, names: Iterable[str]) -> list[Path]:
        """The files of modules and of what they need, in the order in which they are loaded.

        Leaves out what is built in. Raises KeyError for a module that there is not.
        """
        own = self.modules / self.version
        needs = dict[str, list[str]]()
        paths = dict[str, str]()
        for line in (own / "modules.dep").read_text().splitlines():
            path, _, rest = line.partition(":")
            needs[path], paths[_name(path)] = rest.split(), path
        built_in = {_name(line) for line in (own / "modules.builtin").read_text().split()}
        found = list[str]()
        for name in names:
            if name not in built_in:
                path = paths[name]
                # modules.dep names the nearest first.
                found += [p for p in [*reversed(needs[path]), path] if p not in found]
        return [own / path for path in found]


def unpack(packages: Iterable[Path], directory: Path) -> list[Kernel]:
    """The kernels in these packages, the oldest first; all are unpacked into the directory."""
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", package, directory], check=True)
    # Newer packages have /usr/lib only, older ones /lib.
    places = (directory / "usr/lib/modules", directory / "lib/modules")
    kernels = [_kernel(image, places) for image in (directory / "boot").glob("vmlinuz-*")]
    return sorted(kernels, key=lambda kernel: [int(n) for n in kernel.version.split(".")[:2]])


def _kernel(image: Path, places: Iterable[Path]) -> Kernel:
    version = image.name.removeprefix("vmlinuz-")
    (modules,) = (place for place in places if (place / version).is_dir())
    above = modules.parents[1]  # depmod looks for lib/modules below it
    subprocess.run(["depmod", "--basedir", above, version], check=True)
    return Kernel(version, image, modules)


def _name(path: str) -> str:
    """A module's name: ``kernel/fs/9p/9p.ko.xz`` is ``9p``."""
    return path.rpartition("/")[2].partition(".")[0].replace("-", "_")
