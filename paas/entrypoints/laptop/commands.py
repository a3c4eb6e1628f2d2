"""The commands as the client on a laptop lists them, in help and completion, without the server's
libraries.

The commands themselves are in paas/entrypoints/cli; a test compares the two.
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
_TABLE = ("--json", "--wide")
_RUN = ("-e", "--env")
_NO_RESTART = ("--no-restart",)

COMMANDS = (
    CommandLine("apps", "", "List your apps.", _JSON),
    CommandLine("apps:clone", "[OLD] NEW", "Copy an app.", (*_APP, "--skip-deploy")),
    CommandLine("apps:create", "[NAME]", "Create an app.", (*_APP, *_JSON)),
    CommandLine("apps:destroy", "[APP]", "Remove an app, for good.", (*_APP, "--confirm")),
    CommandLine("apps:info", "[APP]", "Show an app's addresses and release.", (*_APP, *_JSON)),
    CommandLine("apps:lock", "[APP]", "Refuse deploys of an app.", (*_APP, "-m", "--reason")),
    CommandLine("apps:rename", "[OLD] NEW", "Rename an app.", _APP),
    CommandLine("apps:unlock", "[APP]", "Allow deploys again.", _APP),
    CommandLine("builder:set", "[APP] build-dir [FOLDER]", "Choose the app's folder.", _APP),
    CommandLine("buildpacks", "[APP]", "List the app's buildpacks.", (*_APP, *_JSON)),
    CommandLine("buildpacks:add", "[APP] BUILDPACK", "Add a buildpack.", (*_APP, "-i", "--index")),
    CommandLine("buildpacks:clear", "[APP]", "Remove all buildpacks.", _APP),
    CommandLine(
        "buildpacks:remove", "[APP] [BUILDPACK]", "Remove a buildpack.", (*_APP, "-i", "--index")
    ),
    CommandLine(
        "buildpacks:set", "[APP] BUILDPACK", "Set the buildpack.", (*_APP, "-i", "--index")
    ),
    CommandLine("builds", "[APP]", "List the builds.", (*_APP, *_TABLE, "-n", "--num")),
    CommandLine(
        "builds:cache:purge", "[APP]", "Delete an app's build cache.", (*_APP, "--confirm")
    ),
    CommandLine("builds:cancel", "[APP] [BUILD]", "Cancel a build.", _APP),
    CommandLine("builds:info", "[APP] [BUILD]", "Show one build.", (*_APP, *_JSON)),
    CommandLine(
        "builds:output", "[APP] [BUILD]", "Print a build's output.", (*_APP, *_JSON, "-t", "--tail")
    ),
    CommandLine("certs", "[APP]", "List the certificates.", (*_APP, *_TABLE)),
    CommandLine("certs:add", "[APP] CRT KEY", "Add a certificate of your own.", _APP),
    CommandLine(
        "certs:auto", "[APP] [on|off]", "Get and renew certificates automatically.", (*_APP, *_JSON)
    ),
    CommandLine("certs:info", "[APP] [ID|DOMAIN]", "Show certificates in full.", (*_APP, *_JSON)),
    CommandLine("certs:remove", "[APP] [ID|DOMAIN]", "Remove a certificate.", _APP),
    CommandLine("checks:report", "[APP]", "Show how new instances are checked.", (*_APP, *_JSON)),
    CommandLine(
        "checks:set", "[APP] start-limit [TIME]", "Set how long an app may take to start.", _APP
    ),
    CommandLine("completion", "bash|zsh", "Print a shell's completion script."),
    CommandLine("config", "[APP]", "Show the config vars.", (*_APP, *_JSON, "-s", "--shell")),
    CommandLine("config:edit", "[APP]", "Edit the config vars in $EDITOR.", (*_APP, *_NO_RESTART)),
    CommandLine(
        "config:export", "[APP]", "Print all config vars as a file.", (*_APP, *_JSON, "--format")
    ),
    CommandLine("config:get", "[APP] NAME", "Print one config var.", (*_APP, *_JSON)),
    CommandLine(
        "config:import", "[APP]", "Set config vars from a file.", (*_APP, "--unset", *_NO_RESTART)
    ),
    CommandLine(
        "config:set",
        "[APP] NAME=VALUE...",
        "Set config vars; makes a release.",
        (*_APP, *_NO_RESTART),
    ),
    CommandLine(
        "config:unset",
        "[APP] NAME...",
        "Remove config vars; makes a release.",
        (*_APP, *_NO_RESTART),
    ),
    CommandLine("cron", "[APP]", "List the cron jobs.", (*_APP, *_TABLE)),
    CommandLine("cron:resume", "[APP] [JOB...]", "Resume cron jobs.", _APP),
    CommandLine("cron:run", "[APP] JOB", "Run a cron job now.", (*_APP, "--detach")),
    CommandLine("cron:suspend", "[APP] [JOB...]", "Suspend cron jobs.", _APP),
    CommandLine("diff", "[APP] [vA] [vB]", "Show what differs between releases.", (*_APP, *_JSON)),
    CommandLine("disk", "[APP]", "Show the disk usage of apps.", (*_APP, *_TABLE, "--all")),
    CommandLine(
        "doctor",
        "",
        "Find and repair problems of the server.",
        ("--fix", "--empty-trash", "--restore-store", "--adopt-store", *_JSON),
    ),
    CommandLine("domains", "[APP]", "List host names and their DNS.", (*_APP, *_TABLE)),
    CommandLine("domains:add", "[APP] DOMAIN...", "Add host names.", (*_APP, "--trust")),
    CommandLine("domains:clear", "[APP]", "Remove all domains and redirects.", _APP),
    CommandLine(
        "domains:redirect",
        "[APP] FROM TO [CODE]",
        "Redirect one name to another.",
        (*_APP, "--trust"),
    ),
    CommandLine("domains:remove", "[APP] DOMAIN...", "Remove host names.", _APP),
    CommandLine("domains:set-global", "DOMAIN", "Change the server's domain."),
    CommandLine("domains:verify", "[APP] [DOMAIN...]", "Check pending domains now.", _APP),
    CommandLine("drains", "[APP]", "List where the log is forwarded.", (*_APP, *_TABLE)),
    CommandLine("drains:add", "[APP] URL", "Forward the log.", (*_APP, *_JSON)),
    CommandLine("drains:remove", "[APP] URL|ID", "Stop forwarding the log.", _APP),
    CommandLine("git:from-archive", "[APP] URL|-", "Deploy an archive.", (*_APP, "--archive-type")),
    CommandLine("git:info", "[APP]", "Show branches and commits.", (*_APP, *_JSON)),
    CommandLine("git:set", "[APP] deploy-branch [BRANCH]", "Choose the branch to deploy.", _APP),
    CommandLine(
        "git:sync",
        "[APP] URL [REF]",
        "Fetch another repository.",
        (*_APP, "--build", "--build-if-changes"),
    ),
    CommandLine("help", "[TOPIC|COMMAND]", "Show the commands, or one of them."),
    CommandLine("init", "", "Write a Procfile for this folder.", (*_APP, "--force")),
    CommandLine("http-auth", "[APP]", "List an app's logins.", (*_APP, *_JSON)),
    CommandLine("http-auth:add-user", "[APP] USER", "Require a login, and add one.", _APP),
    CommandLine("http-auth:remove-user", "[APP] USER", "Remove a login.", _APP),
    CommandLine("keys", "", "List SSH keys.", _TABLE),
    CommandLine("keys:add", "USER [FILE]", "Add an SSH key.", ("--admin", "--member")),
    CommandLine("keys:remove", "FINGERPRINT", "Remove an SSH key."),
    CommandLine(
        "logs",
        "[APP]",
        "Show the log.",
        (
            *(*_APP, *_JSON, "-n", "--num", "-t", "--tail", "-p", "--ps", "--process-type"),
            *("-d", "--dyno", "--dyno-name", "-s", "--source", "--since", "--grep", "--release"),
        ),
    ),
    CommandLine("maintenance", "[APP]", "Show whether maintenance is on.", (*_APP, *_JSON)),
    CommandLine(
        "maintenance:custom-page", "[APP]", "Set the maintenance page.", (*_APP, "--clear")
    ),
    CommandLine("maintenance:off", "[APP]", "Show visitors the app again.", _APP),
    CommandLine("maintenance:on", "[APP]", "Show visitors a page instead.", _APP),
    CommandLine("nginx:report", "[APP]", "Show the router settings.", (*_APP, *_TABLE)),
    CommandLine("nginx:set", "[APP] KEY [VALUE...]", "Change a router setting.", _APP),
    CommandLine("open", "[APP] [PATH]", "Open the app in the browser.", (*_APP, *_JSON)),
    CommandLine("proxy", "", "Show which proxy serves all apps.", _JSON),
    CommandLine("proxy:set", "nginx|haproxy", "Change the proxy of all apps."),
    CommandLine("ps", "[APP]", "List the instances.", (*_APP, *_TABLE)),
    CommandLine(
        "ps:restart", "[APP] [TYPE|INSTANCE...]", "Restart without losing a request.", _APP
    ),
    CommandLine("ps:scale", "[APP] [TYPE=N...]", "Set how many instances run.", (*_APP, *_JSON)),
    CommandLine("ps:start", "[APP] [TYPE|INSTANCE...]", "Start stopped instances.", _APP),
    CommandLine("ps:stop", "[APP] [TYPE|INSTANCE...]", "Stop instances until ps:start.", _APP),
    CommandLine("ps:type", "[APP] TYPE=SIZE...", "Give process types a Heroku size.", _APP),
    CommandLine("ps:wait", "[APP]", "Wait until a deploy has ended.", _APP),
    CommandLine("quota:report", "[APP]", "Show quotas.", (*_APP, *_TABLE, "--user")),
    CommandLine("quota:set", "[APP] QUOTA=VALUE...", "Set quotas (admins).", (*_APP, "--user")),
    CommandLine("releases", "[APP]", "List the releases.", (*_APP, *_TABLE, "-n", "--num")),
    CommandLine("releases:info", "[APP] [vN]", "Show one release.", (*_APP, *_JSON)),
    CommandLine("releases:output", "[APP] [vN]", "Print a release's output.", (*_APP, *_JSON)),
    CommandLine("releases:retry", "[APP]", "Retry the latest failed release.", _APP),
    CommandLine(
        "resource:limit",
        "[APP] NAME=VALUE...",
        "Limit an app's memory, CPU and so on.",
        (*_APP, "-p", "--process-type", *_NO_RESTART),
    ),
    CommandLine(
        "resource:limit-clear",
        "[APP]",
        "Remove an app's limits.",
        (*_APP, "-p", "--process-type", *_NO_RESTART),
    ),
    CommandLine("resource:report", "[APP]", "Show an app's limits.", (*_APP, *_TABLE)),
    CommandLine("rollback", "[APP] [vN]", "Restore a release's code and config.", _APP),
    CommandLine(
        "run",
        "[APP] COMMAND...",
        "Run a command in your terminal.",
        (*_APP, *_RUN, "--no-tty", "-x", "--exit-code"),
    ),
    CommandLine(
        "run:detached",
        "[APP] COMMAND...",
        "Run a command in the background.",
        (*_APP, *_RUN, *_JSON),
    ),
    CommandLine("run:list", "[APP]", "List one-off processes.", (*_APP, *_TABLE)),
    CommandLine("run:stop", "[APP] run.N...", "Stop one-off processes.", _APP),
    CommandLine("sandbox:report", "[APP]", "Show what an app's sandbox allows.", (*_APP, *_JSON)),
    CommandLine(
        "sandbox:set", "[APP] user-namespaces=on|off", "Change what an app's sandbox allows.", _APP
    ),
    CommandLine("server:rotate-key", "", "Seal the secrets in the database with a new key."),
    CommandLine("server:status", "", "Show what the server is doing.", _JSON),
    CommandLine("static", "[APP]", "List the static paths.", (*_APP, *_TABLE)),
    CommandLine(
        "static:add",
        "[APP] PATH FOLDER",
        "Serve a folder's files without the app.",
        (*_APP, "--expires", "--hashed"),
    ),
    CommandLine("static:remove", "[APP] PATH", "Let the app answer a path again.", _APP),
    CommandLine("storage", "[APP]", "List the storage directories.", (*_APP, *_TABLE)),
    CommandLine("storage:add", "[APP] PATH", "Add a storage directory.", _APP),
    CommandLine(
        "storage:remove", "[APP] PATH", "Delete a storage directory.", (*_APP, "--confirm")
    ),
    CommandLine("version", "", "Show the version.", _JSON),
)

SUMMARIES = {command.name: command.summary for command in COMMANDS}
