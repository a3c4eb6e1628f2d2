"""A push's refs, checked by git itself before anything is built for them."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from paas.adapters.system import subprocesses
from paas.adapters.system.disk_faults import no_space
from paas.domain.git import access
from paas.domain.git.refs import RefUpdate, explain, refused_object, rehearsal
from paas.domain.values.errors import PaasError, disk_full
from paas.interfaces import Quarantine

LIMIT_S = 60.0


class GitRefs:
    """`Refs` of interfaces. owner: uid and gid of the platform's account."""

    def __init__(self, repositories: Path, owner: tuple[int, int]) -> None:
        self._repositories = repositories
        self._owner = owner

    def refusal(
        self, app_id: int, updates: Sequence[RefUpdate], quarantine: Quarantine
    ) -> PaasError | None:
        """Why git would refuse; see interfaces.Refs."""
        ended = self._git(app_id, quarantine, rehearsal(updates), "update-ref", "--stdin", "-z")
        said = ended.output.decode("utf-8", "replace")
        if ended.ok:
            return self._closed(app_id, quarantine)
        if "No space left on device" in said or "Disk quota exceeded" in said:
            return no_space(quarantine.objects) or disk_full()
        wrong = refused_object(said)
        tag = self._tag(app_id, quarantine, wrong) if wrong else None
        return explain(said, updates, tag)

    def _closed(self, app_id: int, quarantine: Quarantine) -> PaasError | None:
        """Whether git could not move the pushed objects into the repository.

        For example, folders that root's own git made there belong to root.
        """
        objects = self._repositories / f"{app_id}.git/objects"
        for place in _targets(objects, quarantine.objects):
            self._make(place)
            if place.stat().st_uid != self._owner[0]:
                return PaasError(
                    "repository-closed",
                    f"git could not store this push: {place} on the server does not belong "
                    "to the platform's account.",
                    f"The server's administrator can correct that: chown -R --reference={objects} "
                    f"{objects}",
                )
        return None

    def _make(self, place: Path) -> None:
        """Make a folder for pushed objects, if it is missing: after the switch git only moves
        files there, which a full disk does not hinder. Raises OSError."""
        with suppress(FileExistsError):
            place.mkdir(mode=0o755)
            os.chown(place, *self._owner, follow_symlinks=False)

    def _tag(self, app_id: int, quarantine: Quarantine, object_id: str) -> str | None:
        """The name in a tag object; None if it is not a tag object."""
        ended = self._git(app_id, quarantine, b"", "cat-file", "tag", object_id)
        found = re.search(rb"^tag (.+)$", ended.output, re.MULTILINE) if ended.ok else None
        return found[1].decode("utf-8", "replace") if found else None

    def _git(
        self, app_id: int, quarantine: Quarantine, stdin: bytes, *words: str
    ) -> subprocesses.Finished:
        """Run git as the platform's account, like receive-pack, with the objects of the push."""
        uid, gid = self._owner
        repository = str(self._repositories / f"{app_id}.git")
        argv, env = access.in_quarantine(repository, str(quarantine.objects), words)
        return subprocesses.run(
            ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *argv],
            description="Seeing whether git takes the push",
            timeout_s=LIMIT_S,
            env=env,
            cwd=Path("/"),
            stdin=stdin,
            check=False,
        )


def _targets(objects: Path, quarantine: Path) -> Iterator[Path]:
    """The folders that the pushed objects will be moved to."""
    if quarantine == objects:
        return
    with os.scandir(quarantine) as entries:
        for entry in entries:
            if entry.is_dir():
                yield objects / entry.name
