"""The help: commands by topic, as on Heroku; the same text on a laptop and on the server."""

from collections.abc import Iterable

from paas.entrypoints.laptop.command_lines import CommandLine
from paas.entrypoints.laptop.commands import COMMANDS

COLUMNS = 80

# In the order in which help lists them. A topic is the part before a command's colon.
TOPICS = {
    "apps": "create, rename, copy, lock, remove apps; open one in the browser",
    "config": "the app's environment: config vars",
    "logs": "what the app, the platform and the router logged",
    "metrics": "CPU, memory, requests, latency and errors over time",
    "ps": "instances: scale, restart, stop, start",
    "releases": "versions of an app: roll back, retry, compare",
    "pipelines": "apps in stages; promote code to the next one without a build",
    "previews": "an app of its own for each pull request or branch",
    "run": "one-off commands, in your terminal or in the background",
    "builds": "builds and their output: follow, cancel",
    "buildpacks": "how the app is built",
    "docker": "building from a Dockerfile: arguments, secrets, registries",
    "git": "the deploy branch; code from other sources",
    "domains": "host names and redirects",
    "ports": "TCP ports for what is not HTTP; the port of containers",
    "certs": "HTTPS: certificates, automatic or your own",
    "static": "files that the proxy serves without the app",
    "storage": "directories that outlive releases",
    "addons": "PostgreSQL, MariaDB, Redis: make, attach, use, destroy",
    "backups": "where backups go, and their key",
    "cron": "scheduled jobs",
    "drains": "forwarding the log elsewhere",
    "notify": "who is told of failed deploys, crashes, certificates, the disk",
    "nginx": "router settings: sizes, timeouts, limits, headers",
    "http-auth": "password protection of an app",
    "maintenance": "show a page instead of the app",
    "access": "who may use an app: share it, give it away",
    "users": "users and teams of the server",
    "keys": "the SSH keys and tokens of users",
    "nodes": "the machines that belong to the server",
    "server": "the server: status, disk, audit, repair, proxy, completion",
}
# Commands without a colon, and topics too small to be one.
_ELSEWHERE = {
    "audit": "server",
    "auth": "users",
    "build-args": "docker",
    "build-secrets": "docker",
    "builder": "buildpacks",
    "checks": "ps",
    "completion": "server",
    "dashboard": "users",
    "diff": "releases",
    "disk": "server",
    "doctor": "server",
    "help": "server",
    "heroku": "users",
    "init": "apps",
    "mysql": "addons",
    "open": "apps",
    "pg": "addons",
    "proxy": "server",
    "quota": "server",
    "redis": "addons",
    "registry": "docker",
    "resource": "ps",
    "rollback": "releases",
    "sandbox": "ps",
    "scheduler": "ps",
    "teams": "users",
    "tokens": "keys",
    "version": "server",
}

_FIRST_STEPS = """\
First steps, in an app's git repository:
  paas apps:create shop --server paas@apps.example.com
  git push deploy main
  paas logs --tail"""


def topic_of(name: str) -> str:
    """The topic of a command."""
    noun = name.partition(":")[0]
    return _ELSEWHERE.get(noun, noun)


def overview() -> str:
    """What ``paas help`` prints."""
    width = max(map(len, TOPICS)) + 2
    return "\n".join(
        [
            "Usage: paas [-a APP] COMMAND [ARGUMENTS]",
            "",
            _FIRST_STEPS,
            "",
            "Topics:",
            *(f"  {topic:<{width}}{summary}" for topic, summary in TOPICS.items()),
            "",
            "The commands of a topic: paas help ps",
            "One command, with its options: paas help ps:scale",
            "The app is the one named by -a NAME or by the git remote `deploy`.",
        ]
    )


def topic_help(topic: str) -> str | None:
    """The commands of a topic, or those with the same noun, a line each; None if there are none."""
    if topic in TOPICS:
        summary = TOPICS[topic]
        members = [command for command in COMMANDS if topic_of(command.name) == topic]
    elif topic in _ELSEWHERE:
        summary = f"part of the topic {_ELSEWHERE[topic]}"
        members = [command for command in COMMANDS if command.name.startswith(f"{topic}:")]
    else:
        return None
    if not members:
        return None
    return "\n".join(
        [
            f"{topic}: {summary}",
            "",
            *_listed(members),
            "",
            f"One command, with its options: paas help {members[-1].name}",
        ]
    )


def described(name: str) -> str | None:
    """What ``paas help NAME`` prints without a server; None if there is no such command."""
    for command in COMMANDS:
        if command.name == name:
            options = f"\n\nOptions: {' '.join(command.options)}" if command.options else ""
            usage = f"paas {command.name} {command.usage}".rstrip()
            return f"Usage: {usage}\n\n{command.summary}{options}"
    return None


def _listed(commands: Iterable[CommandLine]) -> Iterable[str]:
    """Usage and summary in two columns; the summary below where both do not fit."""
    commands = list(commands)
    usages = [f"{command.name} {command.usage}".rstrip() for command in commands]
    width = max(len(usage) for usage in usages) + 2
    if 2 + width + max(len(command.summary) for command in commands) > COLUMNS:
        width = min(width, 30)
    for usage, command in zip(usages, commands, strict=True):
        if len(usage) + 2 > width:
            yield f"  {usage}"
            yield f"  {'':<{width}}{command.summary}"
        else:
            yield f"  {usage:<{width}}{command.summary}"
