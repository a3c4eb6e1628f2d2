"""The one table of permissions: what each role may do with an app, and what each command needs.

docs/reference/access.md is made from it, and a test runs every command as everybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What somebody may do with an app: each use of an app names one of these.

    VIEW: state, logs, releases, the names of config vars. DEPLOY: code and releases.
    CONFIGURE: config vars with their values, addresses, certificates, settings.
    OPERATE: processes, one-off processes, cron jobs, maintenance mode.
    OWN: what cannot be undone, the app's name, and who has access.
    """

    VIEW = "view"
    DEPLOY = "deploy"
    CONFIGURE = "configure"
    OPERATE = "operate"
    OWN = "own"


class AppRole(StrEnum):
    """What somebody is for an app."""

    OWNER = "owner"
    DEPLOYER = "deployer"
    VIEWER = "viewer"

    def may(self, to: Permission) -> bool:
        """Whether the role includes that."""
        return to in ROLES[self]

    @property
    def with_article(self) -> str:
        """``an owner``, ``a deployer``."""
        return f"{'an' if self is AppRole.OWNER else 'a'} {self}"

    def limited_to(self, other: "AppRole | None") -> "AppRole":
        """The lesser of two roles; None limits nothing."""
        if other is None:
            return self
        return min(self, other, key=lambda role: len(ROLES[role]))


# Each row has what the next one has, and more.
ROLES: Mapping[AppRole, frozenset[Permission]] = {
    AppRole.OWNER: frozenset(Permission),
    AppRole.DEPLOYER: frozenset(
        {Permission.VIEW, Permission.DEPLOY, Permission.CONFIGURE, Permission.OPERATE}
    ),
    AppRole.VIEWER: frozenset({Permission.VIEW}),
}


class Need(StrEnum):
    """What a command needs that is not about an existing app, or about all that one may view.

    ANYONE: nothing. ACCOUNT: the user's account, which a token that is limited to an app or a role
    does not stand for. ADMIN: an admin.
    """

    ANYONE = "anyone"
    ACCOUNT = "account"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Row:
    """One command. need: for its usual use. changes: whether it changes anything."""

    need: Permission | Need
    changes: bool


def _reads(need: Permission | Need) -> Row:
    return Row(need, changes=False)


def _changes(need: Permission | Need) -> Row:
    return Row(need, changes=True)


COMMANDS: Mapping[str, Row] = {
    "access": _reads(Permission.VIEW),
    "access:add": _changes(Permission.OWN),
    "access:remove": _changes(Permission.OWN),
    "access:update": _changes(Permission.OWN),
    "addons": _reads(Permission.VIEW),
    "addons:attach": _changes(Permission.CONFIGURE),
    "addons:create": _changes(Permission.CONFIGURE),
    "addons:destroy": _changes(Permission.OWN),
    "addons:detach": _changes(Permission.CONFIGURE),
    "addons:info": _reads(Permission.VIEW),
    "addons:upgrade": _changes(Permission.CONFIGURE),
    "apps": _reads(Need.ANYONE),
    "apps:clone": _changes(Permission.CONFIGURE),
    "apps:create": _changes(Need.ACCOUNT),
    "apps:destroy": _changes(Permission.OWN),
    "apps:info": _reads(Permission.VIEW),
    "apps:leave": _changes(Permission.VIEW),
    "apps:lock": _changes(Permission.OPERATE),
    "apps:rename": _changes(Permission.OWN),
    "apps:transfer": _changes(Permission.OWN),
    "apps:unlock": _changes(Permission.OPERATE),
    "audit": _reads(Need.ANYONE),
    "audit:verify": _reads(Need.ADMIN),
    "auth:whoami": _reads(Need.ANYONE),
    "backups:key": _changes(Need.ADMIN),
    "backups:recover": _changes(Need.ADMIN),
    "backups:target": _changes(Need.ADMIN),
    "backups:test": _reads(Need.ADMIN),
    "build-args:set": _changes(Permission.CONFIGURE),
    "build-args:unset": _changes(Permission.CONFIGURE),
    "build-secrets:set": _changes(Permission.CONFIGURE),
    "build-secrets:unset": _changes(Permission.CONFIGURE),
    "builder:set": _changes(Permission.CONFIGURE),
    "buildpacks": _reads(Permission.VIEW),
    "buildpacks:add": _changes(Permission.CONFIGURE),
    "buildpacks:clear": _changes(Permission.CONFIGURE),
    "buildpacks:remove": _changes(Permission.CONFIGURE),
    "buildpacks:set": _changes(Permission.CONFIGURE),
    "builds": _reads(Permission.VIEW),
    "builds:cache:purge": _changes(Permission.DEPLOY),
    "builds:cancel": _changes(Permission.DEPLOY),
    "builds:info": _reads(Permission.VIEW),
    "builds:output": _reads(Permission.VIEW),
    "certs": _reads(Permission.VIEW),
    "certs:add": _changes(Permission.CONFIGURE),
    "certs:auto": _changes(Permission.CONFIGURE),
    "certs:dns": _changes(Need.ADMIN),
    "certs:info": _reads(Permission.VIEW),
    "certs:remove": _changes(Permission.CONFIGURE),
    "checks:report": _reads(Permission.VIEW),
    "checks:set": _changes(Permission.CONFIGURE),
    "completion": _reads(Need.ANYONE),
    "config": _reads(Permission.VIEW),
    "config:edit": _changes(Permission.CONFIGURE),
    "config:export": _reads(Permission.CONFIGURE),
    "config:get": _reads(Permission.CONFIGURE),
    "config:import": _changes(Permission.CONFIGURE),
    "config:set": _changes(Permission.CONFIGURE),
    "config:unset": _changes(Permission.CONFIGURE),
    "cron": _reads(Permission.VIEW),
    "cron:history": _reads(Permission.VIEW),
    "cron:resume": _changes(Permission.OPERATE),
    "cron:run": _changes(Permission.OPERATE),
    "cron:suspend": _changes(Permission.OPERATE),
    "dashboard:close": _changes(Need.ANYONE),
    "dashboard:open": _changes(Need.ANYONE),
    "diff": _reads(Permission.VIEW),
    "disk": _reads(Permission.VIEW),
    "docker:report": _reads(Permission.CONFIGURE),
    "docker:runtime": _changes(Need.ADMIN),
    "doctor": _changes(Need.ADMIN),
    "domains": _reads(Permission.VIEW),
    "domains:add": _changes(Permission.CONFIGURE),
    "domains:clear": _changes(Permission.CONFIGURE),
    "domains:redirect": _changes(Permission.CONFIGURE),
    "domains:remove": _changes(Permission.CONFIGURE),
    "domains:set-global": _changes(Need.ADMIN),
    "domains:verify": _changes(Permission.CONFIGURE),
    "drains": _reads(Permission.CONFIGURE),
    "drains:add": _changes(Permission.CONFIGURE),
    "drains:remove": _changes(Permission.CONFIGURE),
    "git:auth": _changes(Permission.CONFIGURE),
    "git:deploy-key": _changes(Permission.CONFIGURE),
    "git:deploy-on-push": _changes(Permission.CONFIGURE),
    "git:from-archive": _changes(Permission.DEPLOY),
    "git:from-image": _changes(Permission.DEPLOY),
    "git:info": _reads(Permission.VIEW),
    "git:load-image": _changes(Permission.DEPLOY),
    "git:set": _changes(Permission.CONFIGURE),
    "git:sync": _changes(Permission.DEPLOY),
    "help": _reads(Need.ANYONE),
    "heroku:connect": _reads(Need.ANYONE),
    "heroku:env": _reads(Need.ANYONE),
    "heroku:proxy": _reads(Need.ANYONE),
    "http-auth": _reads(Permission.VIEW),
    "http-auth:add-user": _changes(Permission.CONFIGURE),
    "http-auth:remove-user": _changes(Permission.CONFIGURE),
    "init": _reads(Need.ANYONE),
    "keys": _reads(Need.ACCOUNT),
    "keys:add": _changes(Need.ACCOUNT),
    "keys:remove": _changes(Need.ACCOUNT),
    "logs": _reads(Permission.VIEW),
    "maintenance": _reads(Permission.VIEW),
    "maintenance:custom-page": _changes(Permission.CONFIGURE),
    "maintenance:off": _changes(Permission.OPERATE),
    "maintenance:on": _changes(Permission.OPERATE),
    "metrics": _reads(Permission.VIEW),
    "mysql:backups": _reads(Permission.VIEW),
    "mysql:backups:capture": _changes(Permission.CONFIGURE),
    "mysql:backups:delete": _changes(Permission.OWN),
    "mysql:backups:download": _reads(Permission.CONFIGURE),
    "mysql:backups:info": _reads(Permission.VIEW),
    "mysql:backups:restore": _changes(Permission.OWN),
    "mysql:backups:schedule": _changes(Permission.CONFIGURE),
    "mysql:backups:schedules": _reads(Permission.VIEW),
    "mysql:backups:unschedule": _changes(Permission.CONFIGURE),
    "mysql:client": _changes(Permission.OPERATE),
    "mysql:credentials:rotate": _changes(Permission.CONFIGURE),
    "mysql:copy": _changes(Permission.OWN),
    "mysql:credentials:url": _reads(Permission.CONFIGURE),
    "mysql:export": _reads(Permission.CONFIGURE),
    "mysql:import": _changes(Permission.OWN),
    "mysql:info": _reads(Permission.VIEW),
    "mysql:promote": _changes(Permission.CONFIGURE),
    "mysql:wait": _reads(Permission.VIEW),
    "mysql:reset": _changes(Permission.OWN),
    "nginx:report": _reads(Permission.VIEW),
    "nginx:set": _changes(Permission.CONFIGURE),
    "nodes": _reads(Need.ADMIN),
    "nodes:add": _changes(Need.ADMIN),
    "nodes:check": _reads(Need.ADMIN),
    "nodes:drain": _changes(Need.ADMIN),
    "nodes:end": _changes(Need.ADMIN),
    "nodes:info": _reads(Need.ADMIN),
    "nodes:init": _changes(Need.ADMIN),
    "nodes:remove": _changes(Need.ADMIN),
    "nodes:undrain": _changes(Need.ADMIN),
    "notify": _reads(Permission.CONFIGURE),
    "notify:add": _changes(Permission.CONFIGURE),
    "notify:remove": _changes(Permission.CONFIGURE),
    "notify:test": _changes(Permission.CONFIGURE),
    "open": _reads(Permission.VIEW),
    "pg:backups": _reads(Permission.VIEW),
    "pg:backups:capture": _changes(Permission.CONFIGURE),
    "pg:backups:delete": _changes(Permission.OWN),
    "pg:backups:download": _reads(Permission.CONFIGURE),
    "pg:backups:info": _reads(Permission.VIEW),
    "pg:backups:restore": _changes(Permission.OWN),
    "pg:backups:schedule": _changes(Permission.CONFIGURE),
    "pg:backups:schedules": _reads(Permission.VIEW),
    "pg:backups:unschedule": _changes(Permission.CONFIGURE),
    "pg:bloat": _reads(Permission.OPERATE),
    "pg:blocking": _reads(Permission.OPERATE),
    "pg:cache-hit": _reads(Permission.OPERATE),
    "pg:copy": _changes(Permission.OWN),
    "pg:connection-pooling:attach": _changes(Permission.CONFIGURE),
    "pg:credentials:rotate": _changes(Permission.CONFIGURE),
    "pg:credentials:url": _reads(Permission.CONFIGURE),
    "pg:diagnose": _reads(Permission.OPERATE),
    "pg:export": _reads(Permission.CONFIGURE),
    "pg:extensions": _reads(Permission.VIEW),
    "pg:extensions:install": _changes(Permission.CONFIGURE),
    "pg:import": _changes(Permission.OWN),
    "pg:follow": _changes(Permission.CONFIGURE),
    "pg:index-usage": _reads(Permission.OPERATE),
    "pg:fork": _changes(Permission.CONFIGURE),
    "pg:info": _reads(Permission.VIEW),
    "pg:promote": _changes(Permission.CONFIGURE),
    "pg:kill": _changes(Permission.OPERATE),
    "pg:locks": _reads(Permission.OPERATE),
    "pg:outliers": _reads(Permission.OPERATE),
    "pg:ps": _reads(Permission.OPERATE),
    "pg:psql": _changes(Permission.OPERATE),
    "pg:rehearse": _changes(Permission.OPERATE),
    "pg:reset": _changes(Permission.OWN),
    "pg:settings": _reads(Permission.VIEW),
    "pg:settings:set": _changes(Permission.CONFIGURE),
    "pg:settings:unset": _changes(Permission.CONFIGURE),
    "pg:table-size": _reads(Permission.OPERATE),
    "pg:upgrade": _changes(Permission.OWN),
    "pg:vacuum-stats": _reads(Permission.OPERATE),
    "pg:unfollow": _changes(Permission.CONFIGURE),
    "pg:wait": _reads(Permission.VIEW),
    "pipelines": _reads(Need.ANYONE),
    "pipelines:add": _changes(Permission.CONFIGURE),
    "pipelines:create": _changes(Permission.CONFIGURE),
    "pipelines:destroy": _changes(Need.ACCOUNT),
    "pipelines:diff": _reads(Permission.VIEW),
    "pipelines:info": _reads(Need.ANYONE),
    "pipelines:promote": _changes(Permission.DEPLOY),
    "pipelines:remove": _changes(Permission.CONFIGURE),
    "previews": _reads(Permission.VIEW),
    "previews:create": _changes(Permission.CONFIGURE),
    "previews:destroy": _changes(Permission.CONFIGURE),
    "previews:disable": _changes(Permission.OWN),
    "previews:enable": _changes(Permission.OWN),
    "proxy": _reads(Need.ADMIN),
    "ports": _reads(Permission.VIEW),
    "ports:add": _changes(Permission.CONFIGURE),
    "ports:remove": _changes(Permission.CONFIGURE),
    "ports:set": _changes(Permission.CONFIGURE),
    "proxy:set": _changes(Need.ADMIN),
    "ps": _reads(Permission.VIEW),
    "ps:restart": _changes(Permission.OPERATE),
    "ps:placement": _changes(Permission.OPERATE),
    "ps:scale": _changes(Permission.OPERATE),
    "ps:start": _changes(Permission.OPERATE),
    "ps:stop": _changes(Permission.OPERATE),
    "ps:type": _changes(Permission.OPERATE),
    "ps:wait": _reads(Permission.VIEW),
    "quota:report": _reads(Permission.VIEW),
    "quota:set": _changes(Need.ADMIN),
    "redis:backups": _reads(Permission.VIEW),
    "redis:backups:capture": _changes(Permission.CONFIGURE),
    "redis:backups:delete": _changes(Permission.OWN),
    "redis:backups:download": _reads(Permission.CONFIGURE),
    "redis:backups:info": _reads(Permission.VIEW),
    "redis:backups:restore": _changes(Permission.OWN),
    "redis:backups:schedule": _changes(Permission.CONFIGURE),
    "redis:backups:schedules": _reads(Permission.VIEW),
    "redis:backups:unschedule": _changes(Permission.CONFIGURE),
    "redis:cli": _changes(Permission.OPERATE),
    "redis:copy": _changes(Permission.OWN),
    "redis:credentials": _changes(Permission.CONFIGURE),
    "redis:export": _reads(Permission.CONFIGURE),
    "redis:import": _changes(Permission.OWN),
    "redis:info": _reads(Permission.VIEW),
    "redis:maxmemory": _changes(Permission.CONFIGURE),
    "redis:promote": _changes(Permission.CONFIGURE),
    "redis:reset": _changes(Permission.OWN),
    "redis:wait": _reads(Permission.VIEW),
    "registry:login": _changes(Permission.CONFIGURE),
    "registry:logout": _changes(Permission.CONFIGURE),
    "releases": _reads(Permission.VIEW),
    "releases:info": _reads(Permission.VIEW),
    "releases:output": _reads(Permission.VIEW),
    "releases:retry": _changes(Permission.DEPLOY),
    "resource:limit": _changes(Permission.OPERATE),
    "resource:limit-clear": _changes(Permission.OPERATE),
    "resource:report": _reads(Permission.VIEW),
    "rollback": _changes(Permission.DEPLOY),
    "run": _changes(Permission.OPERATE),
    "run:detached": _changes(Permission.OPERATE),
    "run:list": _reads(Permission.VIEW),
    "run:stop": _changes(Permission.OPERATE),
    "sandbox:report": _reads(Permission.VIEW),
    "sandbox:set": _changes(Need.ADMIN),
    "scheduler:report": _reads(Permission.VIEW),
    "scheduler:set": _changes(Permission.OPERATE),
    "server:docker": _reads(Need.ADMIN),
    "server:rotate-key": _changes(Need.ADMIN),
    "server:status": _reads(Need.ADMIN),
    "static": _reads(Permission.VIEW),
    "static:add": _changes(Permission.CONFIGURE),
    "static:remove": _changes(Permission.CONFIGURE),
    "storage": _reads(Permission.VIEW),
    "storage:add": _changes(Permission.CONFIGURE),
    "storage:remove": _changes(Permission.OWN),
    "teams": _reads(Need.ACCOUNT),
    "teams:add": _changes(Need.ADMIN),
    "teams:create": _changes(Need.ADMIN),
    "teams:destroy": _changes(Need.ADMIN),
    "teams:remove": _changes(Need.ADMIN),
    "tokens": _reads(Need.ACCOUNT),
    "tokens:create": _changes(Need.ACCOUNT),
    "tokens:revoke": _changes(Need.ACCOUNT),
    "users": _reads(Need.ADMIN),
    "users:add": _changes(Need.ADMIN),
    "users:remove": _changes(Need.ADMIN),
    "users:set-role": _changes(Need.ADMIN),
    "version": _reads(Need.ANYONE),
}
# What git asks for over SSH; the last two are of Git LFS.
GIT_SERVICES: Mapping[str, Row] = {
    "git-receive-pack": _changes(Permission.DEPLOY),
    "git-upload-pack": _reads(Permission.DEPLOY),
    "git-lfs-transfer upload": _changes(Permission.DEPLOY),
    "git-lfs-transfer download": _reads(Permission.DEPLOY),
}
