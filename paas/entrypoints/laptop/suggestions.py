"""Finds the intended command: Heroku's aliases, and suggestions for unknown commands."""

from collections.abc import Sequence

from paas.domain.runs.runs import APP_OPTIONS
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown
from paas.entrypoints.laptop.commands import COMMANDS
from paas.entrypoints.laptop.topics import TOPICS

# Heroku's shorter or older names (https://devcenter.heroku.com/articles/heroku-cli-commands), the
# names that its plugin heroku-repo and Dokku use for the build cache, and others of Dokku's.
ALIASES = {
    "apps:delete": ("apps:destroy",),
    "apps:list": ("apps",),
    "apps:open": ("open",),
    "config:add": ("config:set",),
    "config:remove": ("config:unset",),
    "create": ("apps:create",),
    "destroy": ("apps:destroy",),
    "info": ("apps:info",),
    "list": ("apps",),
    "mysql:connect": ("mysql:client",),
    "pg:extensions:enable": ("pg:extensions:install",),
    "pg:settings:log-connections": ("pg:settings:set", "log-connections"),
    "pg:settings:log-lock-waits": ("pg:settings:set", "log-lock-waits"),
    "pg:settings:log-min-duration-statement": ("pg:settings:set", "log-min-duration-statement"),
    "pg:settings:log-statement": ("pg:settings:set", "log-statement"),
    "pg:settings:track-functions": ("pg:settings:set", "track-functions"),
    "ports:clear": ("ports:set", "web=auto"),
    "ports:list": ("ports",),
    "ports:report": ("docker:report",),
    "ports:unset": ("ports:set", "web=auto"),
    "ps:resize": ("ps:type",),
    "releases:rollback": ("rollback",),
    "leave": ("apps:leave",),
    "rename": ("apps:rename",),
    "repo:purge-cache": ("builds:cache:purge",),
    "repo:purge_cache": ("builds:cache:purge",),
    "restart": ("ps:restart",),
    "scale": ("ps:scale",),
    "start": ("ps:start",),
    "stop": ("ps:stop",),
    "tail": ("logs", "--tail"),
    "transfer": ("apps:transfer",),
    "whoami": ("auth:whoami",),
}

# Commands of other tools, with their equivalents here.
MEANINGS = {
    "acl": "access",
    "addon": "addons:create postgresql",
    "auth": "auth:whoami",
    "bash": "run bash",
    "clone": "apps:clone",
    "collaborators": "access",
    "console": "run bash",
    "crontab": "cron",
    "database": "addons:create postgresql",
    "databases": "addons",
    "db": "addons:create postgresql",
    "delete": "apps:destroy",
    "deploy": "git push deploy main",
    "domain": "domains",
    "df": "disk",
    "du": "disk",
    "dyno": "ps",
    "dynos": "ps",
    "docker-options": "resource:limit",
    "enter": "run bash",
    "env": "config",
    "environment": "config",
    "exec": "run",
    "formation": "ps:scale",
    "history": "releases",
    "https": "certs:auto on",
    "jobs": "cron",
    "kill": "ps:stop",
    "letsencrypt": "certs:auto on",
    "log": "logs",
    "ls": "apps",
    "mariadb": "addons:create mysql",
    "mounts": "storage",
    "mysql": "addons:create mysql",
    "pg": "pg:info",
    "postgres": "addons:create postgresql",
    "postgresql": "addons:create postgresql",
    "processes": "ps",
    "push": "git push deploy main",
    "organizations": "teams",
    "orgs": "teams",
    "redis": "addons:create redis",
    "remove": "apps:destroy",
    "rm": "apps:destroy",
    "scheduler": "cron",
    "secrets": "config",
    "sharing": "access",
    "shell": "run bash",
    "ssh": "run bash",
    "ssh-keys": "keys",
    "ssl": "certs:auto on",
    "status": "ps",
    "tls": "certs:auto on",
    "undo": "rollback",
    "valkey": "addons:create redis",
    "vars": "config",
    "volumes": "storage",
}
# The kinds of datastores by the nouns of Dokku's plugins and of ours: prefix, kind, session.
_KINDS = {
    "mariadb": ("mysql", "mysql", "client"),
    "mysql": ("mysql", "mysql", "client"),
    "pg": ("pg", "postgresql", "psql"),
    "postgres": ("pg", "postgresql", "psql"),
    "postgresql": ("pg", "postgresql", "psql"),
    "redis": ("redis", "redis", "cli"),
    "valkey": ("redis", "redis", "cli"),
}
# Verbs of those plugins.
_DATASTORE_VERBS = {
    "app-links": "addons",
    "backup": "{prefix}:backups:capture",
    "backup-auth": "backups:target",
    "backup-deauth": "backups:target",
    "backup-schedule": "{prefix}:backups:schedule",
    "backup-set-encryption": "backups:key",
    "backup-unschedule": "{prefix}:backups:unschedule",
    "clone": "{prefix}:copy",
    "connect": "{prefix}:{session}",
    "create": "addons:create {kind}",
    "destroy": "addons:destroy",
    "enter": "{prefix}:{session}",
    "exists": "addons",
    "link": "addons:attach",
    "linked": "addons",
    "links": "addons",
    "list": "addons",
    "logs": "logs --service",
    "unlink": "addons:detach",
}
# Of Dokku's plugins, and what is no kind of datastore yet.
_DATABASES = frozenset({"keydb", "mongo"})
_SUGGESTIONS = 3
_NAMES = frozenset(command.name for command in COMMANDS)


def in_place(words: Sequence[str]) -> list[str]:
    """The words, with an alias replaced by our command."""
    at = _command_at(words)
    if at is None or words[at] not in ALIASES:
        return list(words)
    return [*words[:at], *ALIASES[words[at]], *words[at + 1 :]]


def no_command(word: str) -> PaasError:
    """The error for an unknown command, with suggestions."""
    noun, _, verb = word.lower().partition(":")
    message = f"There is no command {shown(word)}."
    if noun in _DATABASES:
        hint = (
            "The server makes PostgreSQL, MariaDB and Redis: paas addons:create postgresql. Give "
            "the app the address of another database in a config var.\n"
            "paas config:set DATABASE_URL=mongodb://..."
        )
    elif noun in _KINDS and verb:
        hint = _did_you_mean(_of_datastores(noun, verb))
    elif noun in TOPICS:
        near = [name for name in _near(word) if name.startswith(f"{noun}:")]
        hint = _did_you_mean(near) if near else f"Its commands: paas help {noun}"
    elif noun in MEANINGS:
        hint = _did_you_mean([MEANINGS[noun]])
    elif near := _near(word):
        hint = _did_you_mean(near)
    else:
        hint = "All of them: paas help"
    return usage_error("no-command", message, hint)


def _of_datastores(noun: str, verb: str) -> list[str]:
    """What somebody who knows Dokku, or mistyped, means by a command for a kind of datastore."""
    prefix, kind, session = _KINDS[noun]
    if verb in _DATASTORE_VERBS:
        return [_DATASTORE_VERBS[verb].format(prefix=prefix, kind=kind, session=session)]
    name = f"{prefix}:{verb}"
    if name in _NAMES:
        return [name]
    near = [one for one in _near(name) if one.startswith(f"{prefix}:")]
    return near or [MEANINGS[noun]]


def two_words(words: Sequence[str]) -> str | None:
    """``config:set`` for ``config set A=1``; None if the first two words form no command."""
    at = _command_at(words)
    if at is None or at + 1 >= len(words):
        return None
    name = f"{words[at]}:{words[at + 1]}"
    return " ".join(ALIASES.get(name, (name,))) if name in _NAMES or name in ALIASES else None


def _command_at(words: Sequence[str]) -> int | None:
    """The index of the command, after options and an app."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in APP_OPTIONS else 1
    return at if at < len(words) else None


def _near(word: str) -> list[str]:
    """Commands with a similar spelling."""
    import difflib  # imported here since it takes 7 ms

    found = difflib.get_close_matches(word.lower(), [*_NAMES, *ALIASES], _SUGGESTIONS, cutoff=0.7)
    return list(dict.fromkeys(" ".join(ALIASES.get(name, (name,))) for name in found))


def _did_you_mean(commands: Sequence[str]) -> str:
    typed = [name if name.startswith("git ") else f"paas {name}" for name in commands]
    return f"Did you mean: {' or: '.join(typed)}"
