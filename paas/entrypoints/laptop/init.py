"""``paas init``: writes a Procfile, adds the git remote, and says what to do next."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from paas.domain.manifest.procfile import parse_procfile
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import app_name
from paas.entrypoints.laptop import messages, remotes
from paas.entrypoints.laptop.app_folder import AppFolder, examine
from paas.entrypoints.laptop.remotes import REMOTE, Server

COMMAND = "init"
PROCFILE = "Procfile"
_BRANCHES = ("main", "master")


def init(words: Sequence[str], server: Server | None) -> int:
    """Run the command. words: the command with its options. server: the configured one."""
    name, force = _options(words)
    root = Path.cwd()
    folder = examine(root)
    messages.step(f"Found: {folder.what}")
    wrote = _write(root / PROCFILE, folder, force=force)
    for what, remedy in folder.missing:
        messages.warn(f"{what}. To add it: {remedy}")
    for note in folder.notes:
        messages.detail(note)
    remote = _add_remote(server, name, root)
    _print_next(wrote, remote, complete=not folder.missing)
    return 0


def _options(words: Sequence[str]) -> tuple[str | None, bool]:
    name, force, rest = None, False, iter(words)
    for word in rest:
        if word == "--force":
            force = True
        elif word in ("-a", "--app"):
            name = next(rest, "")
        elif word.startswith("--app="):
            name = word.removeprefix("--app=")
        elif word != COMMAND:
            raise usage_error("arguments", f"init does not accept {word!r}.", "paas init --force")
    return (app_name(name) if name is not None else None), force


def _write(path: Path, folder: AppFolder, *, force: bool) -> bool:
    """Write the Procfile if one is needed and none exists; returns whether it was written."""
    if folder.web is None:
        messages.detail("Nginx serves the files, so no Procfile is needed")
        return False
    line = f"web: {folder.web}\n"
    if os.path.lexists(path) and not force:
        present = _declared(path)
        messages.detail(f"The present Procfile is kept{present}")
        if present != f": {line.strip()}":
            messages.detail(f"init would write: {line.strip()}")
            messages.detail("To overwrite it: paas init --force")
        return False
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        new.write_text(line)
        new.replace(path)
    except OSError as error:
        raise PaasError("init-write", f"{path} cannot be written: {error.strerror}.") from error
    messages.step(f"Wrote Procfile: {line.strip()}")
    return True


def _declared(path: Path) -> str:
    """A summary of a Procfile."""
    with suppress(OSError, PaasError):
        processes = parse_procfile(path.read_bytes())
        if len(processes) == 1:
            return "".join(f": {kind}: {command}" for kind, command in processes.items())
        return ", with " + ", ".join(processes)
    return ", though it cannot be read"


def _add_remote(server: Server | None, name: str | None, root: Path) -> str | None:
    """Add the git remote, or return the command that adds it."""
    present = remotes.url_of(REMOTE)
    if present is not None:
        messages.detail(f"The git remote {REMOTE} points to {present}")
        return None
    if name is None:
        with suppress(PaasError):
            name = app_name(root.name.lower().replace("_", "-").replace(" ", "-"))
    url = server.git_url(name) if server and name else "paas@SERVER:APP"
    command = f"git remote add {REMOTE} {url}"
    if server is None or name is None or not remotes.in_work_tree():
        return command
    if remotes.git("remote", "add", REMOTE, url) is None:
        messages.warn("The git remote could not be added")
        return command
    messages.step(f"Added the git remote {REMOTE}: {url}")
    messages.detail("The first push creates the app")
    return None


def _print_next(wrote: bool, remote: str | None, *, complete: bool) -> None:
    """Print the commands that remain until the app runs. remote: the one that adds it, or None."""
    branch = remotes.git("symbolic-ref", "--short", "HEAD") or "main"
    pushed = branch if branch in _BRANCHES else f"{branch}:main"
    messages.step("Next")
    if not remotes.in_work_tree():
        messages.detail('git init -b main && git add . && git commit -m "First"')
        pushed = "main"
    elif not complete:
        messages.detail('git add . && git commit -m "Prepare the deploy"')
    elif wrote:
        messages.detail('git add Procfile && git commit -m "Add a Procfile"')
    if remote:
        messages.detail(remote)
    messages.detail(f"git push {REMOTE} {pushed}")
    messages.detail("paas open")
