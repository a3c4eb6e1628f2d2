"""git over SSH: git-receive-pack, git-upload-pack, and the pre-receive hook."""

import sys
from collections.abc import Mapping
from pathlib import Path

from paas.domain.audit.events import Subject
from paas.domain.git import access
from paas.domain.git.access import ExecPlan
from paas.domain.git.refs import NO_COMMIT, parse_update
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.entrypoints.cli.login import Login
from paas.entrypoints.cli.session import Session
from paas.entrypoints.gate_client.link import ORIGIN_OF_PUSH, TOKEN
from paas.interfaces import Quarantine

UPDATES_MAX = 10_000


def service(
    session: Session, name: str, app: AppName, env: Mapping[str, str], login: Login | None = None
) -> ExecPlan:
    """The program that a push or fetch executes. Raises PaasError if it is not allowed.

    login: what the hook of a push comes back with; None for the session's own user.
    """
    services, user = session.services, session.actor.name
    if name.startswith(access.LFS_TRANSFER):
        return _lfs(session, name.partition(" ")[2], app)
    if name != access.RECEIVE_PACK:
        found = services.pushes.to_fetch(session.actor, app)
        return access.upload(
            name,
            str(services.repository.path(found.id)),
            user=user,
            protocol=env.get("GIT_PROTOCOL"),
        )
    _record(session, name, app)
    found = services.pushes.to_push(session.actor, app, session.terminal)
    repository = services.repository.path(found.id)
    return access.receive_pack(
        str(repository),
        hooks=str(services.settings.paths.current / "hooks"),
        max_push_mib=services.settings.max_push_mib,
        lock=str(services.locks.push(found.id)),
        user=user,
        identity={
            **_origin(session),
            **_login(login or Login(user, session.origin)),
            "PAAS_ETC": str(services.settings.etc),
            "PAAS_APP": found.name,
            "PAAS_APP_ID": str(found.id),
        },
    )


def _login(login: Login) -> dict[str, str]:
    """Verified again in the hook: the token may be revoked while the push arrives."""
    token = {} if login.token is None else {TOKEN: login.token.reveal()}
    return {"PAAS_USER": login.user or "", **token}


def _origin(session: Session) -> dict[str, str]:
    """What the hook of a push hands back to the gate: where the push came from."""
    fields = ((variable, getattr(session.origin, name)) for name, variable in ORIGIN_OF_PUSH)
    return {variable: value for variable, value in fields if value is not None}


def _record(session: Session, name: str, app: AppName) -> None:
    if session.recording is not None:
        session.recording.service(name, app)


def _lfs(session: Session, operation: str, app: AppName) -> ExecPlan:
    services = session.services
    if operation == "upload":
        _record(session, f"{access.LFS_TRANSFER} upload", app)
        found = services.pushes.to_upload(session.actor, app, session.terminal)
    else:
        found = services.pushes.to_fetch(session.actor, app)
    settings = services.settings
    script = settings.paths.current / "paas/entrypoints/lfs_transfer.py"
    return access.lfs_transfer(
        ("/usr/bin/python3", "-I", "-S", str(script)),
        str(services.repository.path(found.id)),
        operation,
        max_lfs_mib=settings.max_lfs_mib,
        min_free_mib=settings.min_free_mib,
    )


def hook(session: Session, env: Mapping[str, str]) -> None:
    """pre-receive: accept or reject a push. It answers when the new version is live."""
    lines = sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\n")
    updates = [parse_update(line) for line in lines if line]
    if len(updates) > UPDATES_MAX:
        raise PaasError("too-many-refs", f"A push may update at most {UPDATES_MAX} refs.")
    if session.recording is not None:
        refs = {u.ref: None if u.new == NO_COMMIT else u.new for u in updates}
        session.recording.push(Subject(env["PAAS_APP"], int(env["PAAS_APP_ID"])), refs)
    session.services.pushes.receive(
        session.actor,
        int(env["PAAS_APP_ID"]),
        updates,
        _quarantine(session, int(env["PAAS_APP_ID"]), env),
        session.terminal,
        _push_options(env),
    )


def _push_options(env: Mapping[str, str]) -> list[str]:
    """The options of ``git push -o``, as git passes them to a hook (githooks(5), pre-receive)."""
    names = set(env) - {"GIT_PUSH_OPTION_COUNT"}
    return [env[name] for name in names if name.startswith("GIT_PUSH_OPTION_")]


def _quarantine(session: Session, app_id: int, env: Mapping[str, str]) -> Quarantine:
    """Where the pushed objects are: only ever below the app's own repository."""
    repository = session.services.repository.path(app_id).resolve()
    # A push that only deletes refs has no objects, and git makes no quarantine.
    objects = Path(env.get("GIT_OBJECT_DIRECTORY", "objects"))
    resolved = (repository / objects).resolve()
    if not resolved.is_relative_to(repository):
        raise PaasError("quarantine", "The pushed objects are not in the app's repository.")
    return Quarantine(resolved)
