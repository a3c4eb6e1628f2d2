"""All operations, by name: those of the commands that do the same.

An operation that changes nothing may have a name of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.git.sources import STDIN
from paas.entrypoints.operations import (
    access,
    account,
    addons,
    apps,
    buildpacks,
    builds,
    certificates,
    config,
    cron,
    dashboard,
    domains,
    drains,
    dumps,
    keys,
    logs,
    metrics,
    notifications,
    people,
    pipelines,
    processes,
    releases,
    runs,
    server,
    sources,
    tokens,
)
from paas.entrypoints.operations.call import Run
from paas.entrypoints.operations.shapes import (
    APP,
    FLAG,
    NUMBER,
    PAIRS,
    TEXT,
    TEXTS,
    Shape,
    optional,
)

Words = Sequence[str]
Options = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Operation:
    """run: gets a `Call` and the arguments by name. takes: these arguments.

    words, options: of the command in the audit trail, from the arguments; `changes` says whether it
    is recorded at all.
    """

    run: Run
    takes: Shape
    changes: bool = False
    words: Callable[..., Words] = lambda **_: ()
    options: Callable[..., Options] = lambda **_: {}


def _changes(
    run: Run,
    takes: Shape,
    words: Callable[..., Words] = lambda **_: (),
    options: Callable[..., Options] = lambda **_: {},
) -> Operation:
    return Operation(run, takes, changes=True, words=words, options=options)


def _version(version: int | None, **_: object) -> Words:
    return [] if version is None else [f"v{version}"]


def _command(command: str, **_: object) -> Words:
    return [command]


def _names_of_vars(env: Mapping[str, str], **_: object) -> Options:
    return {"--env": [f"{name}=" for name in env]} if env else {}


def _attached_as(name: str | None, **_: object) -> Options:
    return {} if name is None else {"--as": [name]}


def _with_role(role: str | None, **_: object) -> Options:
    return {} if role is None else {"--role": [role]}


def _of_server(app: str | int | None, **_: object) -> Options:
    return {"--server": []} if app is None else {}


def _notified(app: str | int | None, events: Sequence[str] | None, **_: object) -> Options:
    told = {} if events is None else {"--events": [",".join(events)]}
    return {**told, **_of_server(app)}


def _dumps(kind: DatastoreKind) -> dict[str, Operation]:
    """What all kinds of datastores have."""
    prefix = f"{kind.traits.prefix}:backups"
    return {
        prefix: Operation(dumps.listing(kind), {"app": APP}),
        f"{prefix}:capture": _changes(
            dumps.capture(kind), _DATASTORE, lambda datastore, **_: [datastore]
        ),
    }


_DATASTORE = {"app": APP, "datastore": TEXT}
_RUN = {"app": APP, "command": TEXT, "env": optional(PAIRS, {})}
_NAMES = {"app": APP, "names": optional(TEXTS, ())}
_HOLDER = {"app": APP, "whom": TEXT}
_TARGET = {"app": optional(APP), "target": TEXT}
_RELEASE = {"app": APP, "version": optional(NUMBER)}

OPERATIONS: Mapping[str, Operation] = {
    "access": Operation(access.listing, {"app": APP}),
    "access:add": _changes(
        access.add, {**_HOLDER, "role": optional(TEXT)}, lambda whom, **_: [whom], _with_role
    ),
    "access:remove": _changes(access.remove, _HOLDER, lambda whom, **_: [whom]),
    "access:update": _changes(
        access.update, {**_HOLDER, "role": TEXT}, lambda whom, **_: [whom], _with_role
    ),
    "addons": Operation(addons.listing, {"app": optional(APP)}),
    "addons:attach": _changes(
        addons.attach,
        {"app": APP, "datastore": TEXT, "name": optional(TEXT)},
        lambda datastore, **_: [datastore],
        _attached_as,
    ),
    "addons:create": _changes(
        addons.create,
        {"app": APP, "order": TEXT, "name": optional(TEXT)},
        lambda order, **_: [order],
        _attached_as,
    ),
    "addons:destroy": _changes(addons.destroy, _DATASTORE, lambda datastore, **_: [datastore]),
    "addons:detach": _changes(
        addons.detach, {"app": APP, "names": TEXTS}, lambda names, **_: names
    ),
    "addons:info": Operation(addons.info, _DATASTORE),
    "apps": Operation(apps.listing, {"detail": optional(FLAG, False)}),
    "apps:create": _changes(
        apps.create, {"name": optional(TEXT)}, lambda name: [name] if name else []
    ),
    "apps:destroy": _changes(apps.destroy, {"app": APP}),
    "apps:info": Operation(apps.info, {"app": APP, "detail": optional(FLAG, False)}),
    "apps:rename": _changes(apps.rename, {"app": APP, "name": TEXT}, lambda name, **_: [name]),
    "auth:whoami": Operation(account.whoami, {}),
    "buildpacks": Operation(buildpacks.listing, {"app": APP}),
    "buildpacks:clear": _changes(buildpacks.clear, {"app": APP}),
    "buildpacks:set": _changes(
        buildpacks.set_packs,
        {"app": APP, "buildpacks": TEXTS},
        lambda buildpacks, **_: buildpacks,
    ),
    "builds": Operation(builds.listing, {"app": APP, "follow": optional(FLAG, False)}),
    "builds:cancel": _changes(
        builds.cancel, {"app": APP, "build": TEXT}, lambda build, **_: [build]
    ),
    "builds:info": Operation(
        builds.info, {"app": APP, "build": TEXT, "follow": optional(FLAG, False)}
    ),
    "certs": Operation(certificates.listing, {"app": APP}),
    "certs:add": _changes(certificates.add, {"app": APP, "pem": TEXT, "replaces": optional(TEXT)}),
    "certs:auto": _changes(
        certificates.auto, {"app": APP, "on": FLAG}, lambda on, **_: ["on" if on else "off"]
    ),
    "certs:remove": _changes(
        certificates.remove,
        {"app": APP, "certificate": TEXT},
        lambda certificate, **_: [certificate],
    ),
    "builds:output": Operation(builds.output, {"app": APP, "build": TEXT}),
    "config": Operation(config.names, {"app": APP}),
    "config:export": Operation(config.export, _RELEASE),
    "config:get": Operation(config.get, {"app": APP, "name": TEXT}),
    "config:set": _changes(
        config.set_vars,
        {"app": APP, "values": PAIRS, "unset": optional(TEXTS, ())},
        lambda values, **_: [f"{name}=" for name in values],
        lambda unset, **_: {"--unset": unset} if unset else {},
    ),
    "config:unset": _changes(
        config.unset_vars, {"app": APP, "names": TEXTS}, lambda names, **_: names
    ),
    "cron": Operation(cron.listing, {"app": APP}),
    "cron:history": Operation(cron.history, {"app": APP, "job": optional(TEXT)}),
    "cron:resume": _changes(cron.resume, _NAMES, lambda names, **_: names),
    "cron:run": _changes(cron.run, {"app": APP, "job": TEXT}, lambda job, **_: [job]),
    "cron:suspend": _changes(cron.suspend, _NAMES, lambda names, **_: names),
    "dashboard:close": _changes(dashboard.close_session, {}),
    "dashboard:open": _changes(dashboard.open_session, {}),
    "diff": Operation(releases.diff, {"app": APP, "old": NUMBER, "new": NUMBER}),
    "disk": Operation(server.disk, {}),
    "doctor": Operation(server.doctor, {}, changes=True),
    "domains": Operation(domains.listing, {"app": APP}),
    "domains:add": _changes(domains.add, {"app": APP, "host": TEXT}, lambda host, **_: [host]),
    "domains:remove": _changes(
        domains.remove, {"app": APP, "host": TEXT}, lambda host, **_: [host]
    ),
    "drains": Operation(drains.listing, {"app": APP}),
    "drains:add": _changes(drains.add, {"app": APP, "url": TEXT}, lambda url, **_: [url]),
    "drains:remove": _changes(
        drains.remove, {"app": APP, "drain": TEXT}, lambda drain, **_: [drain]
    ),
    "git:from-archive": _changes(
        builds.from_archive,
        {
            "app": APP,
            "url": optional(TEXT),
            "upload": optional(TEXT),
            "version": optional(TEXT),
            "sha256": optional(TEXT),
        },
        lambda url, **_: [url or STDIN],
    ),
    "keys": Operation(keys.listing, {}),
    "keys:add": _changes(keys.add, {"user": TEXT, "key": TEXT}, lambda user, **_: [user]),
    "keys:remove": _changes(keys.remove, {"fingerprint": TEXT}, lambda fingerprint: [fingerprint]),
    "logs": Operation(
        logs.open_stream,
        {
            "app": APP,
            "lines": NUMBER,
            "tail": FLAG,
            "read": optional(FLAG, False),
            "process": optional(TEXT),
            "source": optional(TEXT),
        },
    ),
    "maintenance:off": _changes(apps.maintenance_off, {"app": APP}),
    "maintenance:on": _changes(apps.maintenance_on, {"app": APP}),
    "metrics": Operation(
        metrics.metrics,
        {"app": optional(APP), "since": optional(NUMBER), "points": optional(NUMBER)},
    ),
    **_dumps(DatastoreKind.MYSQL),
    **_dumps(DatastoreKind.POSTGRESQL),
    **_dumps(DatastoreKind.REDIS),
    "notify": Operation(notifications.listing, {"app": optional(APP)}),
    "notify:add": _changes(
        notifications.add,
        {"app": optional(APP), "url": TEXT, "events": optional(TEXTS)},
        lambda url, **_: [url],
        _notified,
    ),
    "notify:remove": _changes(
        notifications.remove, _TARGET, lambda target, **_: [target], _of_server
    ),
    "notify:test": _changes(
        notifications.test,
        {"app": optional(APP), "target": optional(TEXT)},
        lambda target, **_: [target] if target else [],
        _of_server,
    ),
    "pg:promote": _changes(
        addons.promote_postgresql, _DATASTORE, lambda datastore, **_: [datastore]
    ),
    "pipelines": Operation(pipelines.listing, {}),
    "pipelines:add": _changes(
        pipelines.add,
        {"app": APP, "pipeline": TEXT, "stage": TEXT},
        lambda pipeline, **_: [pipeline],
        lambda stage, **_: {"--stage": [stage]},
    ),
    "pipelines:create": _changes(pipelines.create, {"name": TEXT}, lambda name: [name]),
    "pipelines:destroy": _changes(pipelines.destroy, {"name": TEXT}, lambda name: [name]),
    "pipelines:info": Operation(pipelines.of_app, {"app": APP, "version": optional(NUMBER)}),
    "pipelines:promote": _changes(
        pipelines.promote, {"app": APP, "to": TEXTS}, options=lambda to, **_: {"--to": to}
    ),
    "pipelines:remove": _changes(pipelines.remove, {"app": APP}),
    "ps": Operation(processes.listing, {"app": APP}),
    "ps:restart": _changes(processes.restart, _NAMES, lambda names, **_: names),
    "ps:scale": _changes(
        processes.scale,
        {"app": APP, "changes": optional(TEXTS, ())},
        lambda changes, **_: changes,
    ),
    "ps:start": _changes(processes.start, _NAMES, lambda names, **_: names),
    "ps:stop": _changes(processes.stop, _NAMES, lambda names, **_: names),
    "ps:type": _changes(processes.resize, {"app": APP, "sizes": TEXTS}, lambda sizes, **_: sizes),
    "releases": Operation(releases.listing, {"app": APP, "follow": optional(FLAG, False)}),
    "releases:info": Operation(releases.info, {**_RELEASE, "follow": optional(FLAG, False)}),
    "releases:output": Operation(releases.output, {"app": APP, "version": NUMBER}),
    "redis:promote": _changes(addons.promote_redis, _DATASTORE, lambda datastore, **_: [datastore]),
    "releases:retry": _changes(releases.retry, {"app": APP}),
    "rollback": _changes(releases.rollback, _RELEASE, _version),
    "run": _changes(runs.attend, {**_RUN, "terminal": FLAG}, _command, _names_of_vars),
    "run:list": Operation(runs.listing, {"app": APP}),
    "run:detached": _changes(runs.detach, _RUN, _command, _names_of_vars),
    "server:status": Operation(server.status, {}),
    "teams": Operation(people.teams, {}),
    "sources:create": Operation(sources.create, {}),
    "tokens": Operation(tokens.listing, {}),
    "tokens:create": _changes(
        tokens.create,
        {
            "note": TEXT,
            "seconds": optional(NUMBER),
            "app": optional(APP),
            "role": optional(TEXT),
        },
        options=_with_role,
    ),
    "tokens:revoke": _changes(tokens.revoke, {"prefix": TEXT}, lambda prefix: [prefix]),
    "users": Operation(people.users, {}),
}
