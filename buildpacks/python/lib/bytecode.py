"""Compile the app's own modules, which otherwise each worker does at each start of the app.

Usage: bytecode.py DIRECTORY KEPT, run by the Python that will import them. KEPT has what the last
build compiled, so that only changed modules are compiled again. What does not compile, such as a
template of a code generator, is left out. Standard library only, for every Python that apps use.

The files name their source by its hash, since its time says nothing here: it is that of the build.
https://peps.python.org/pep-0552/
"""

from __future__ import annotations

import marshal
import os
import resource
import sys
import time
import warnings
from contextlib import suppress
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash

# The flags of a file whose source is compared by its hash.
HEADER = MAGIC_NUMBER + (0b11).to_bytes(4, "little")
SKIPPED = ("node_modules", "__pycache__")
# Compiling a smaller one takes less time than making a file.
MIN_SOURCE_BYTES, MAX_SOURCE_BYTES = 512, 1024**2
MAX_KEPT_BYTES = 64 * 1024**2
# The first is looked at between two modules; the second ends one that takes for ever.
CPU_LIMIT_S, CPU_HARD_LIMIT_S = 10, 15


def modules(top):
    """The paths of the app's own source files; no links are followed."""
    for folder, folders, names in os.walk(top):
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        folders[:] = [name for name in folders if name[0] != "." and name not in SKIPPED]
        yield from (os.path.join(folder, name) for name in names if name.endswith(".py"))


def read_source(path):
    """The source, or None: not a plain file, or too small or too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:
            source = file.read(MAX_SOURCE_BYTES + 1)
    except OSError:
        return None
    return source if MIN_SOURCE_BYTES <= len(source) <= MAX_SOURCE_BYTES else None


def compiled(path, source, kept):
    """The bytecode file's content: that of the last build if it fits. None: it does not compile."""
    header = HEADER + source_hash(source)
    if kept is not None and kept[: len(header)] == header:
        return kept
    if time.process_time() > CPU_LIMIT_S:
        return None
    try:
        code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    except Exception:  # whatever it is, the app says it if it is ever imported
        return None
    return header + marshal.dumps(code)


def write(path, content):
    """Replace the file at once: Python does not start with half of one."""
    folder = os.path.dirname(path)
    if not os.path.lexists(folder):
        os.mkdir(folder)
    elif os.path.islink(folder):
        return
    temporary = f"{folder}/.new"
    with open(temporary, "wb") as file:
        file.write(content)
    os.replace(temporary, path)


def load_kept(path):
    """What the last build compiled, by path; empty if there is nothing to be read."""
    try:
        with open(path, "rb") as file:
            found = marshal.load(file)  # noqa: S302 - the app's own cache, in its own sandbox
    except (OSError, EOFError, ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def save_kept(path, made):
    """Keep them for the next build, if they are not too many."""
    if sum(map(len, made.values())) > MAX_KEPT_BYTES:
        made = {}
    with open(f"{path}.new", "wb") as file:
        marshal.dump(made, file)
    os.replace(f"{path}.new", path)


def main():
    """Compile what can be compiled."""
    top, kept_path = sys.argv[1:3]
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_HARD_LIMIT_S, CPU_HARD_LIMIT_S))
    kept, made = load_kept(kept_path), {}
    for path in modules(top):
        source = read_source(path)
        content = compiled(path, source, kept.get(path)) if source is not None else None
        if content is not None:
            made[path] = content
            with suppress(OSError):  # the app can still be built without it
                write(cache_from_source(path, optimization=""), content)
    if made != kept:
        save_kept(kept_path, made)


if __name__ == "__main__":
    main()
