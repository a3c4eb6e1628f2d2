"""The commands as a laptop knows them: for its help and completion, without the server's libraries.

The commands themselves stand in paas/entrypoints/cli; a test holds the two together.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandLine:
    """How a command is typed. usage: its arguments, without options."""

    name: str
    usage: str
    summary: str
    options: tuple[str, ...] = ()


_APP = ("-a", "--app")
_JSON = ("--json",)

COMMANDS = (
    CommandLine("apps", "", "List your apps.", _JSON),
    CommandLine("apps:create", "[NAME]", "Create an app.", (*_APP, *_JSON)),
    CommandLine("apps:destroy", "[APP]", "Remove an app, for good.", (*_APP, "--confirm")),
    CommandLine("apps:info", "[APP]", "Show an app's addresses and release.", (*_APP, *_JSON)),
    CommandLine("apps:rename", "[OLD] NEW", "Give an app another name.", _APP),
    CommandLine("completion", "bash|zsh", "Print a shell's completion script."),
    CommandLine("config", "[APP]", "Show the config vars.", (*_APP, *_JSON, "-s", "--shell")),
    CommandLine("config:get", "[APP] NAME", "Print one config var.", (*_APP, *_JSON)),
    CommandLine("config:set", "[APP] NAME=VALUE...", "Set config vars; makes a release.", _APP),
    CommandLine("config:unset", "[APP] NAME...", "Remove config vars; makes a release.", _APP),
    CommandLine("doctor", "", "Repair the server after a crash.", ("--fix",)),
    CommandLine("git:set", "[APP] deploy-branch [BRANCH]", "Choose the branch to deploy.", _APP),
    CommandLine("help", "[COMMAND]", "Show the commands, or one of them."),
    CommandLine("keys", "", "List SSH keys.", _JSON),
    CommandLine("keys:add", "USER [FILE]", "Let the holder of a key in.", ("--admin", "--member")),
    CommandLine("keys:remove", "FINGERPRINT", "Take a key away."),
    CommandLine("logs", "[APP]", "Show the log.", (*_APP, *_JSON, "-n", "--num", "-t", "--tail")),
    CommandLine("ps", "[APP]", "Show what runs.", (*_APP, *_JSON)),
    CommandLine("ps:restart", "[APP]", "Restart every instance, without a gap.", _APP),
    CommandLine("ps:scale", "[APP] [TYPE=N...]", "Set how many instances run.", (*_APP, *_JSON)),
    CommandLine("releases", "[APP]", "List the releases.", (*_APP, *_JSON, "-n", "--num")),
    CommandLine("server:status", "", "Show what the server is doing.", _JSON),
    CommandLine("version", "", "Show the version.", _JSON),
)

SUMMARIES = {command.name: command.summary for command in COMMANDS}


def overview() -> str:
    """What ``paas help`` prints where there is no server to ask."""
    width = max(len(f"{c.name} {c.usage}") for c in COMMANDS) + 2
    lines = [f"  {f'{c.name} {c.usage}':<{width}}{c.summary}" for c in COMMANDS]
    return "\n".join(
        [
            "Usage: paas [--server USER@HOST[:PORT]] COMMAND [ARGUMENTS]",
            "",
            *lines,
            "",
            "The app is the one that the git remote `deploy` names, or: -a NAME.",
            "More on one of them: paas help COMMAND",
        ]
    )


def described(name: str) -> str | None:
    """What ``paas help NAME`` prints where there is no server to ask; None for no command."""
    for command in COMMANDS:
        if command.name == name:
            options = f"\n\nOptions: {' '.join(command.options)}" if command.options else ""
            usage = f"paas {command.name} {command.usage}".rstrip()
            return f"Usage: {usage}\n\n{command.summary}{options}"
    return None
