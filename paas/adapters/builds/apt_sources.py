"""The server's apt sources as older programs look for them: /etc/apt/sources.list.

Newer systems have deb822 files in sources.list.d instead, and no sources.list, or an empty one;
heroku-buildpack-apt, for one, then fails. Builds are shown an /etc/apt with one made from them.
https://manpages.debian.org/sources.list (both formats).
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from paas.adapters.system import files

FILE_MAX_BYTES = 1024**2
HEAD = "# Made for this build from the deb822 files in sources.list.d.\n"
# What apt reads and anybody may see; auth.conf has passwords.
SHOWN = (
    *("sources.list.d", "trusted.gpg.d", "keyrings", "apt.conf.d", "preferences.d"),
    *("trusted.gpg", "apt.conf", "preferences"),
)
_KEY = "-----BEGIN PGP"
_OPTIONS = {"signed-by": "signed-by", "architectures": "arch", "trusted": "trusted"}


def apt_with_sources_list(apt: Path, target: Path) -> Path | None:
    """Copy what apt reads to target, with a sources.list; None if it has one or needs none."""
    own = apt / "sources.list"
    if own.is_file() and any(_entries(own.read_text(errors="replace"))):
        return None
    texts = {
        path.name: path.read_text(errors="replace")
        for path in sorted(apt.glob("sources.list.d/*.sources"))
        if path.is_file() and path.stat().st_size <= FILE_MAX_BYTES
    }
    lines = [line for text in texts.values() for line in one_line_style(text)]
    if not lines:
        return None
    files.make_directory(target, mode=0o755)
    for name in SHOWN:
        source = apt / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_unreadable)
        elif source.is_file() and _is_public(source):
            shutil.copy(source, target / name)
    for name, text in texts.items():
        if _KEY not in text:  # the list has all of it: apt warns about duplicate entries
            (target / "sources.list.d" / name).unlink(missing_ok=True)
    text = HEAD + "".join(f"{line}\n" for line in lines)
    files.write_atomic(target / "sources.list", text, mode=0o644, durable=False)
    return target


def one_line_style(text: str) -> Iterator[str]:
    """The entries of a deb822 file that can be written in one line each.

    Entries with a key inside the file cannot; disabled ones are left out.
    """
    for stanza in _stanzas(text):
        if stanza.get("enabled", "yes").lower() in {"no", "false", "off", "0"}:
            continue
        if _KEY in stanza.get("signed-by", ""):
            continue
        options = [
            f"{short}={','.join(stanza[name].split())}"
            for name, short in _OPTIONS.items()
            if stanza.get(name)
        ]
        bracket = f"[{' '.join(options)}] " if options else ""
        components = " ".join(stanza.get("components", "").split())
        for kind in stanza.get("types", "").split():
            for uri in stanza.get("uris", "").split():
                for suite in stanza.get("suites", "").split():
                    yield f"{kind} {bracket}{uri} {suite} {components}".rstrip()


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs: names in lower case, continuation lines joined by a newline."""
    stanza: dict[str, str] = {}
    name = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if stanza:
                yield stanza
            stanza, name = {}, ""
        elif line[0] in " \t" and name:
            stanza[name] += "\n" + line.strip()
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            stanza[name] = value.strip()


def _entries(text: str) -> Iterator[str]:
    return (
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    )


def _is_public(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o004)


def _unreadable(directory: str, names: list[str]) -> set[str]:
    """What a copy leaves out: all but plain files and directories that everybody may read."""
    return {
        name
        for name in names
        if not ((path := Path(directory, name)).is_file() or path.is_dir()) or not _is_public(path)
    }
