"""Which words of a command are recorded: those that are named here, and no others.

A word may be a secret, also by mistake: a value where a name belongs. So a command's words are
recorded in the way that its row says, and of its options only the names, unless their values are
known to be harmless. What is read from standard input is never recorded.
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from urllib.parse import urlsplit

from paas.domain.certificates.dns import HOOK, PROVIDERS
from paas.domain.people.tokens import PATTERN as TOKEN

WORDS_MAX = 50
WORD_MAX = 200
LEFT_OUT = "…"
_PLAIN = re.compile(r"[\w/*.@-][\w.:=/@+,*\[\]-]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROGRAM = re.compile(r"[A-Za-z0-9_./-]{1,64}")
_REFERENCE = re.compile(r"[A-Za-z0-9._/-]{1,100}")


class Words(Enum):
    """How a command's words are recorded, beside the app's name.

    NONE: not at all. PLAIN: as they are, since they name things; URLs without login, query and
    fragment. FIRST: only the first one. NAMES: of ``NAME=VALUE`` the name; of a word without ``=``,
    nothing. ONLY_NAMES: each is to be a name, and is recorded if it is all upper case. DRAIN: of a
    URL no more than the host. PROGRAM: the name of the program, and how many words follow.
    """

    NONE = "none"
    PLAIN = "plain"
    FIRST = "first"
    NAMES = "names"
    ONLY_NAMES = "only names"
    DRAIN = "drain"
    PROGRAM = "program"


# How the words of each changing command are recorded; a test holds that none is missing.
WORDS: Mapping[str, Words] = {
    "access:add": Words.PLAIN,
    "access:remove": Words.PLAIN,
    "access:update": Words.PLAIN,
    "addons:attach": Words.PLAIN,
    "addons:create": Words.PLAIN,
    "addons:destroy": Words.PLAIN,
    "addons:detach": Words.PLAIN,
    "addons:upgrade": Words.PLAIN,
    "apps:clone": Words.PLAIN,
    "apps:create": Words.PLAIN,
    "apps:destroy": Words.NONE,
    "apps:leave": Words.NONE,
    "apps:lock": Words.NONE,
    "apps:rename": Words.PLAIN,
    "apps:transfer": Words.PLAIN,
    "apps:unlock": Words.NONE,
    "backups:key": Words.NONE,
    "backups:recover": Words.PLAIN,
    "backups:target": Words.PLAIN,
    "build-args:set": Words.NAMES,
    "build-args:unset": Words.ONLY_NAMES,
    "build-secrets:set": Words.NAMES,
    "build-secrets:unset": Words.ONLY_NAMES,
    "builder:set": Words.PLAIN,
    "buildpacks:add": Words.PLAIN,
    "buildpacks:clear": Words.NONE,
    "buildpacks:remove": Words.PLAIN,
    "buildpacks:set": Words.PLAIN,
    "builds:cache:purge": Words.NONE,
    "builds:cancel": Words.PLAIN,
    "certs:add": Words.NONE,
    "certs:auto": Words.PLAIN,
    "certs:dns": Words.PLAIN,
    "certs:remove": Words.PLAIN,
    "checks:set": Words.PLAIN,
    "config:import": Words.NONE,
    "config:set": Words.NAMES,
    "config:unset": Words.ONLY_NAMES,
    "cron:resume": Words.PLAIN,
    "cron:run": Words.PLAIN,
    "cron:suspend": Words.PLAIN,
    "dashboard:close": Words.NONE,
    "dashboard:open": Words.NONE,
    "doctor": Words.NONE,
    "docker:runtime": Words.NONE,
    "domains:add": Words.PLAIN,
    "domains:clear": Words.NONE,
    "domains:redirect": Words.PLAIN,
    "domains:remove": Words.PLAIN,
    "domains:set-global": Words.PLAIN,
    "domains:verify": Words.PLAIN,
    "drains:add": Words.DRAIN,
    "drains:remove": Words.DRAIN,
    "git:auth": Words.PLAIN,
    "git:deploy-key": Words.NONE,
    "git:deploy-on-push": Words.NONE,
    "git:from-archive": Words.PLAIN,
    "git:from-image": Words.PLAIN,
    "git:load-image": Words.NONE,
    "git:set": Words.PLAIN,
    "git:sync": Words.PLAIN,
    "http-auth:add-user": Words.FIRST,
    "http-auth:remove-user": Words.FIRST,
    "keys:add": Words.FIRST,
    "keys:remove": Words.PLAIN,
    "maintenance:custom-page": Words.NONE,
    "maintenance:off": Words.NONE,
    "maintenance:on": Words.NONE,
    "mysql:backups:capture": Words.PLAIN,
    "mysql:backups:delete": Words.PLAIN,
    "mysql:backups:restore": Words.PLAIN,
    "mysql:backups:schedule": Words.PLAIN,
    "mysql:backups:unschedule": Words.PLAIN,
    "mysql:client": Words.PLAIN,
    "mysql:credentials:rotate": Words.PLAIN,
    "mysql:promote": Words.PLAIN,
    "mysql:copy": Words.PLAIN,
    "mysql:import": Words.PLAIN,
    "mysql:reset": Words.PLAIN,
    "nginx:set": Words.FIRST,
    "nodes:add": Words.PLAIN,
    "nodes:drain": Words.PLAIN,
    "nodes:end": Words.NONE,
    "nodes:init": Words.NONE,
    "nodes:remove": Words.PLAIN,
    "nodes:undrain": Words.PLAIN,
    "notify:add": Words.DRAIN,
    "notify:remove": Words.DRAIN,
    "notify:test": Words.DRAIN,
    "pg:backups:capture": Words.PLAIN,
    "pg:backups:delete": Words.PLAIN,
    "pg:backups:restore": Words.PLAIN,
    "pg:backups:schedule": Words.PLAIN,
    "pg:backups:unschedule": Words.PLAIN,
    "pg:copy": Words.PLAIN,
    "pg:follow": Words.PLAIN,
    "pg:fork": Words.PLAIN,
    "pg:extensions:install": Words.PLAIN,
    "pg:import": Words.PLAIN,
    "pg:connection-pooling:attach": Words.PLAIN,
    "pg:credentials:rotate": Words.PLAIN,
    "pg:promote": Words.PLAIN,
    "pg:kill": Words.PLAIN,
    "pg:psql": Words.PLAIN,
    "pg:rehearse": Words.PLAIN,
    "pipelines:add": Words.PLAIN,
    "pipelines:create": Words.PLAIN,
    "pipelines:destroy": Words.PLAIN,
    "pipelines:promote": Words.PLAIN,
    "pipelines:remove": Words.PLAIN,
    "previews:create": Words.PLAIN,
    "previews:destroy": Words.PLAIN,
    "previews:disable": Words.NONE,
    "previews:enable": Words.NONE,
    "pg:reset": Words.PLAIN,
    "pg:settings:set": Words.PLAIN,
    "pg:settings:unset": Words.PLAIN,
    "pg:unfollow": Words.PLAIN,
    "pg:upgrade": Words.PLAIN,
    "proxy:set": Words.PLAIN,
    "ports:add": Words.PLAIN,
    "ports:remove": Words.PLAIN,
    "ports:set": Words.PLAIN,
    "ps:restart": Words.PLAIN,
    "ps:placement": Words.PLAIN,
    "ps:scale": Words.PLAIN,
    "ps:start": Words.PLAIN,
    "ps:stop": Words.PLAIN,
    "ps:type": Words.PLAIN,
    "quota:set": Words.PLAIN,
    "redis:backups:capture": Words.PLAIN,
    "redis:backups:delete": Words.PLAIN,
    "redis:backups:restore": Words.PLAIN,
    "redis:backups:schedule": Words.PLAIN,
    "redis:backups:unschedule": Words.PLAIN,
    "redis:cli": Words.PLAIN,
    "redis:copy": Words.PLAIN,
    "redis:credentials": Words.PLAIN,
    "redis:import": Words.PLAIN,
    "redis:maxmemory": Words.PLAIN,
    "redis:promote": Words.PLAIN,
    "redis:reset": Words.PLAIN,
    "registry:login": Words.FIRST,
    "registry:logout": Words.PLAIN,
    "releases:retry": Words.NONE,
    "resource:limit": Words.PLAIN,
    "resource:limit-clear": Words.NONE,
    "rollback": Words.PLAIN,
    "run": Words.PROGRAM,
    "run:detached": Words.PROGRAM,
    "run:stop": Words.PLAIN,
    "sandbox:set": Words.PLAIN,
    "scheduler:set": Words.PLAIN,
    "server:rotate-key": Words.NONE,
    "static:add": Words.PLAIN,
    "static:remove": Words.PLAIN,
    "storage:add": Words.PLAIN,
    "storage:remove": Words.PLAIN,
    "teams:add": Words.PLAIN,
    "teams:create": Words.PLAIN,
    "teams:destroy": Words.PLAIN,
    "teams:remove": Words.PLAIN,
    "tokens:create": Words.NONE,
    "tokens:revoke": Words.PLAIN,
    "users:add": Words.PLAIN,
    "users:remove": Words.PLAIN,
    "users:set-role": Words.PLAIN,
}
# The options whose values are recorded, and how.
OPTIONS: Mapping[str, Words] = {
    "--archive-type": Words.PLAIN,
    "--as": Words.PLAIN,
    "--env": Words.NAMES,
    "--events": Words.PLAIN,
    "--expires": Words.PLAIN,
    "--branch": Words.PLAIN,
    "--config": Words.NAMES,
    "--forget-host": Words.PLAIN,
    "--from": Words.PLAIN,
    "--index": Words.PLAIN,
    "--owner": Words.PLAIN,
    "--policy": Words.PLAIN,
    "--plan": Words.PLAIN,
    "--pr": Words.PLAIN,
    "--process-type": Words.PLAIN,
    "--role": Words.PLAIN,
    "--spread": Words.PLAIN,
    "--stage": Words.PLAIN,
    "--to": Words.PLAIN,
    "--unset": Words.ONLY_NAMES,
    "--user": Words.PLAIN,
}
# These only read, unless they have one of these words or options; ps:scale, without any word.
_CHANGES_WITH: Mapping[str, frozenset[str]] = {
    "backups:target": frozenset({"local", "s3"}),
    "certs:auto": frozenset({"on", "off"}),
    "certs:dns": frozenset({HOOK, "off", *PROVIDERS}),
    "git:auth": frozenset({"--token-stdin", "--remove"}),
    "git:deploy-on-push": frozenset({"--from", "--rotate", "--off"}),
    "doctor": frozenset({"--fix", "--empty-trash", "--restore-store", "--adopt-store"}),
    "redis:credentials": frozenset({"--reset"}),
    "redis:maxmemory": frozenset({"--policy"}),
}
# These make the app that they are about.
MAKES_APP = frozenset({"apps:create"})
# Where a word that is taken for the app's name may be a value instead.
UNSURE = frozenset({Words.NAMES, Words.ONLY_NAMES, Words.DRAIN, Words.PROGRAM, Words.FIRST})
# These go on if the trail cannot be written: they free the space that it lacks, or mend the server.
GO_ON = frozenset(
    {"apps:destroy", "builds:cache:purge", "builds:cancel", "doctor", "run", "run:stop"}
    | {"addons:destroy", "storage:remove"}
)


def recorded(
    command: str,
    words: Sequence[str],
    options: Mapping[str, Sequence[str]],
) -> tuple[str, ...]:
    """The words and options of a command that are recorded.

    words: without the app's name, which has a field of its own. options: the values of each that
    was given, by its long name; none for a flag.
    """
    found = _words(WORDS.get(command, Words.NONE), words)
    for name, values in sorted(options.items()):
        found.append(name)
        found += _words(OPTIONS.get(name, Words.NONE), values)
    return _limited(found)


def changes(command: str, words: Sequence[str], options: Mapping[str, Sequence[str]]) -> bool:
    """Whether a command changes something with these words and options, as `recorded` has them."""
    if command == "ps:scale":
        return bool(words) or "--spread" in options
    needed = _CHANGES_WITH.get(command)
    return command in WORDS and (needed is None or not needed.isdisjoint([*words, *options]))


def pushed(refs: Mapping[str, str | None]) -> tuple[str, ...]:
    """The words of a push: each ref with its new commit, or None where it is deleted."""
    found = [f"{ref[:WORD_MAX]} {commit or 'deleted'}" for ref, commit in refs.items()]
    return _limited(found)


def _limited(found: list[str]) -> tuple[str, ...]:
    more = len(found) - WORDS_MAX
    return tuple(found if more <= 0 else [*found[:WORDS_MAX], f"and {more} more"])


def _words(how: Words, words: Sequence[str]) -> list[str]:
    match how:
        case Words.NONE:
            return []
        case Words.PLAIN:
            return [_plain(word) for word in words]
        case Words.FIRST:
            return [_plain(word) for word in words[:1]]
        case Words.NAMES:
            return [_name(word) for word in words]
        case Words.ONLY_NAMES:
            return [_only_name(word) for word in words]
        case Words.DRAIN:
            return [_drain(word) for word in words[:1]]
        case Words.PROGRAM:
            return _program(words)


def _plain(word: str) -> str:
    """A word that names something; others, and what is very long, are left out."""
    if "://" in word:
        return _url(word)
    # As in user:password@host, without a scheme.
    has_login = "@" in word and ":" in word
    is_plain = len(word) <= WORD_MAX and _PLAIN.fullmatch(word) and not has_login
    return word if is_plain and TOKEN.search(word) is None else LEFT_OUT


def _name(word: str) -> str:
    """The name of ``NAME=VALUE``. A word without ``=`` may be a part of a value."""
    name, equals, _ = word.partition("=")
    return name if equals and len(name) <= WORD_MAX and _NAME.fullmatch(name) else LEFT_OUT


def _only_name(word: str) -> str:
    """A config var's name, as they are by convention; anything else may be a mistyped value."""
    is_name = word == word.upper() and _NAME.fullmatch(word) and len(word) <= WORD_MAX
    return word if is_name else LEFT_OUT


def _url(word: str) -> str:
    """A URL without login, query and fragment."""
    host = _host(word)
    path = "" if host == LEFT_OUT else _plain(urlsplit(word).path or "/")
    return LEFT_OUT if LEFT_OUT in (host, path) else f"{host}{path}"


def _drain(word: str) -> str:
    """An id, or a URL's host: the path of a drain is often its password."""
    if "://" in word:
        return _host(word)
    return word if word.startswith(("d.", "n.")) and _REFERENCE.fullmatch(word) else LEFT_OUT


def _host(url: str) -> str:
    """A URL's scheme, host and port."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return LEFT_OUT
    host = parts.netloc.rpartition("@")[2]
    is_whole = _PLAIN.fullmatch(host) and _PLAIN.fullmatch(parts.scheme) and len(host) <= WORD_MAX
    return f"{parts.scheme}://{host}" if is_whole else LEFT_OUT


def _program(words: Sequence[str]) -> list[str]:
    """The program that is run, and how many words follow it.

    A single word may be a whole line for a shell, which begins with the program unless it sets
    variables first.
    """
    first, *_ = (words[0].split() if words else []) or [""]
    program = first if _PROGRAM.fullmatch(first) else LEFT_OUT
    more = len(" ".join(words).split()) - 1
    return [program, *([f"and {more} more"] if more > 0 else [])]
