"""builds, builds:info, builds:output, builds:cancel, git:from-archive"""

from collections import deque
from collections.abc import Callable
from typing import BinaryIO

from paas.domain.git.sources import archive_message, archive_url
from paas.domain.people.permissions import Permission
from paas.domain.releases.releases import Build
from paas.domain.values.errors import usage_error
from paas.domain.values.names import plain_output, printable
from paas.domain.values.secret import Secret
from paas.entrypoints.operations.call import Call
from paas.interfaces import Archive
from paas.services.builds.builds import BuildInfo

# Of the list; an older one can be asked for by its id.
_MOST = 1_000
_VERSION_MAX = 200
# Of the output, at once; a stream has all of it.
_LINES_MAX, _LINE_MAX = 2_000, 2_000


def listing(call: Call, *, app: str, follow: bool) -> list[dict[str, object]]:
    """The builds of an app, newest first. follow: with the secret of the newest one's output."""
    found = call.services.builds.listing(call.actor, app, _MOST)
    return [
        _plain(call, app, info, follow=follow and place == 0) for place, info in enumerate(found)
    ]


def info(call: Call, *, app: str, build: str, follow: bool) -> dict[str, object]:
    """One build. follow: with the secret of its output."""
    found = call.services.builds.info(call.actor, app, build)
    return _plain(call, app, found, follow=follow)


def output(call: Call, *, app: str, build: str) -> list[str]:
    """The last lines that a build and its deploy have printed so far."""
    _build, lines = call.services.builds.output(call.actor, app, build)
    return [plain_output(line)[:_LINE_MAX] for line in deque(lines, _LINES_MAX)]


def cancel(call: Call, *, app: str, build: str) -> dict[str, object]:
    """End a build that waits, runs or is being released; returns it as it is then."""
    ended = call.services.builds.cancel(call.actor, app, build, call.progress)
    return info(call, app=app, build=ended.id, follow=False)


def from_archive(
    call: Call,
    *,
    app: str,
    url: str | None,
    upload: str | None,
    version: str | None,
    sha256: str | None,
) -> dict[str, object]:
    """Deploy an archive: answered when its build begins, with the secret of the output.

    url: where it is. upload: the secret of the place to which it was uploaded, which is given up
    then. version: as the client calls it. sha256: refuse any other archive.
    """
    if (url is None) == (upload is None):
        raise usage_error("operation-arguments", "An archive has an address, or was uploaded.")
    if upload is None:
        return _deployed(call, app, archive_url(url or ""), version, sha256)
    uploads, secret = call.services.uploads, Secret(upload)
    with uploads.opened(call.actor, secret) as file:
        return _deployed(call, app, file, version, sha256, lambda: uploads.forget(secret))


def _deployed(
    call: Call,
    app: str,
    source: str | BinaryIO,
    version: str | None,
    sha256: str | None,
    begun: Callable[[], None] = lambda: None,
) -> dict[str, object]:
    user = call.actor.name
    archive = Archive(
        source,
        None,
        author=f"{user} <{user}@{call.services.settings.domain}>",
        message=printable(version)[:_VERSION_MAX] if version else _message(source),
        sha256=sha256,
    )
    ids: list[str] = []

    def answer(build: Build) -> None:
        ids.append(build.id)
        begun()
        call.answer(info(call, app=app, build=build.id, follow=True))

    call.services.imports.unpack(call.actor, app, archive, call.progress, answer)
    return info(call, app=app, build=ids[0], follow=True)


def _message(source: str | BinaryIO) -> str:
    return archive_message(source) if isinstance(source, str) else "Uploaded archive"


def _has_output(call: Call, build: Build) -> bool:
    """Whether it may print more, or what it printed is still kept."""
    if build.ended_at is None:
        return True
    return next(call.services.logs.build_output(build.id, lambda: True), None) is not None


def _plain(call: Call, name: str, found: BuildInfo, *, follow: bool) -> dict[str, object]:
    build, secret = found.build, None
    app = call.services.apps.find(call.actor, name, to=Permission.VIEW)
    if follow and _has_output(call, build):
        streams = call.services.streams
        secret = streams.open_output(call.actor, call.origin, app, build=build.id).reveal()
    return {
        "app": {"id": app.id, "name": app.name},
        "id": build.id,
        "status": build.status.value,
        "state": found.words,
        "commit": build.commit,
        "release": found.version,
        "user": build.user,
        "created_at": build.created_at.isoformat(),
        "ended_at": build.ended_at.isoformat() if build.ended_at else None,
        "output": secret,
    }
