"""The jobs of the fetching sandbox: a repository, an archive, submodules, buildpacks, a status.

A job is the JSON file ``job`` of the directory OUT, which only this process uses; its result is the
JSON file ``result`` there. Output is for the user.
"""

import json
import sys
from pathlib import Path
from typing import Any

from paas.domain.git.sources import ArchiveType
from paas.domain.values.errors import PaasError
from paas.entrypoints.fetcher import archives, commits, git, statuses, submodules
from paas.entrypoints.fetcher.access import Access, handed_over

OUT = Path("/tmp/paas/out")  # noqa: S108 - in the sandbox's own /tmp
KNOWN = Path("/tmp/paas/known/objects")  # noqa: S108 - the app's present objects, read-only
JOB = "job"
RESULT = "result"
PACK = "pack"
ARCHIVE = "archive"
PACKS = "packs"


def main() -> int:
    """Do one job; returns 0 if there is a result, even a refusal."""
    job: dict[str, Any] = json.loads((OUT / JOB).read_text())
    given = sys.stdin.buffer.read()
    kinds = {
        "git": _git,
        "archive": _archive,
        "submodules": _submodules,
        "buildpacks": _buildpacks,
    }
    try:
        if job["kind"] == "status":
            answer = _status(job, given)
        else:
            answer = kinds[job["kind"]](job, handed_over(given))
    except PaasError as error:
        answer = {"error": [error.reference, error.message, error.hint]}
    (OUT / RESULT).write_text(json.dumps(answer))
    return 0


def _status(job: dict[str, Any], given: bytes) -> dict[str, Any]:
    """Send a commit status with the one token that was handed over."""
    ((_host, _user, token),) = json.loads(given)["tokens"]
    statuses.send(job, token)
    return {}


def _git(job: dict[str, Any], access: Access) -> dict[str, Any]:
    """Fetch a commit and pack the objects that the app's repository lacks."""
    repository = git.Repository.make(OUT / "repository.git", KNOWN, job["head"], access)
    commit = repository.fetch_ref(job["url"], job["ref"])
    repository.pack(commit, OUT / PACK)
    return {"commit": commit, "known_hosts": access.host_keys()}


def _archive(job: dict[str, Any], _access: Access) -> dict[str, Any]:
    """Make an archive's files a commit on top of the app's present one, and pack it."""
    path = OUT / ARCHIVE
    if job["url"]:
        archives.download(job["url"], path, job["max_download_bytes"])
    if job["sha256"]:
        archives.check(path, job["sha256"])
    repository = git.Repository.make(OUT / "repository.git", KNOWN, job["head"])
    kind = ArchiveType(job["type"]) if job["type"] else None
    limits = commits.Limits(job["max_files"], job["max_bytes"])
    with archives.opened(path, kind) as members, repository.importing() as stream:
        writer = commits.CommitWriter(stream, limits)
        writer.write(members)
        writer.commit(job["author"], job["message"], job["head"])
    commit = repository.imported()
    repository.pack(commit, OUT / PACK)
    return {"commit": commit}


def _submodules(job: dict[str, Any], access: Access) -> dict[str, Any]:
    """Write the submodules' files into the app's tree."""
    limits = submodules.Limits(job["max_files"], job["max_bytes"])
    submodules.Tree(Path(job["tree"]), OUT, limits, access).fill(dict(job["links"]))
    return {"known_hosts": access.host_keys()}


def _buildpacks(job: dict[str, Any], access: Access) -> dict[str, Any]:
    """Write each repository's files into a directory of its own."""
    limits = submodules.Limits(job["max_files"], job["max_bytes"])
    tree = submodules.Tree(OUT / PACKS, OUT, limits, access)
    for place, (url, ref) in enumerate(job["sources"]):
        tree.put(str(place), url, ref)
    return {"known_hosts": access.host_keys()}
