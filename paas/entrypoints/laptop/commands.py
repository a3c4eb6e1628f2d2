"""The commands as the client on a laptop lists them, in help and completion, without the server's
libraries.

The commands themselves are in paas/entrypoints/cli; a test compares the two.
"""

from paas.entrypoints.laptop.command_lines import APP, JSON, TABLE, CommandLine
from paas.entrypoints.laptop.datastore_commands import DATASTORE_COMMANDS

_RUN = ("-e", "--env")
_NO_RESTART = ("--no-restart",)

_OTHERS = (
    CommandLine("access", "[APP]", "List who has access to an app.", (*APP, *JSON)),
    CommandLine(
        "access:add", "[APP] USER|@TEAM", "Give somebody access to an app.", (*APP, "--role")
    ),
    CommandLine("access:remove", "[APP] USER|@TEAM", "Take an app from somebody.", APP),
    CommandLine(
        "access:update", "[APP] USER|@TEAM", "Give somebody another role.", (*APP, "--role")
    ),
    CommandLine("apps", "", "List your apps.", JSON),
    CommandLine("apps:clone", "[OLD] NEW", "Copy an app.", (*APP, "--skip-deploy")),
    CommandLine("apps:create", "[NAME]", "Create an app.", (*APP, *JSON, "--owner")),
    CommandLine("apps:destroy", "[APP]", "Remove an app, for good.", (*APP, "--confirm")),
    CommandLine("apps:info", "[APP]", "Show an app's addresses and release.", (*APP, *JSON)),
    CommandLine("apps:leave", "[APP]", "Give up your access to an app.", APP),
    CommandLine("apps:lock", "[APP]", "Refuse deploys of an app.", (*APP, "-m", "--reason")),
    CommandLine("apps:rename", "[OLD] NEW", "Rename an app.", APP),
    CommandLine("apps:transfer", "[APP] USER|@TEAM", "Give an app another owner.", APP),
    CommandLine("apps:unlock", "[APP]", "Allow deploys again.", APP),
    CommandLine(
        "audit",
        "[APP]",
        "Show who changed what.",
        (*APP, *TABLE, "--all", "--user", "--since", "-n", "--num", "-t", "--tail"),
    ),
    CommandLine("audit:verify", "", "Check the audit trail (admins).", JSON),
    CommandLine("auth:whoami", "", "Print as whom the server knows you.", JSON),
    CommandLine("build-args:set", "[APP] NAME=VALUE...", "Set arguments of the Dockerfile.", APP),
    CommandLine("build-args:unset", "[APP] NAME...", "Remove arguments of builds.", APP),
    CommandLine("build-secrets:set", "[APP] NAME=VALUE...", "Set secrets for builds.", APP),
    CommandLine("build-secrets:unset", "[APP] NAME...", "Remove secrets of builds.", APP),
    CommandLine(
        "builder:set", "[APP] BUILDER|KEY [VALUE]", "Choose what an app is built with.", APP
    ),
    CommandLine("buildpacks", "[APP]", "List the app's buildpacks.", (*APP, *JSON)),
    CommandLine("buildpacks:add", "[APP] BUILDPACK", "Add a buildpack.", (*APP, "-i", "--index")),
    CommandLine("buildpacks:clear", "[APP]", "Remove all buildpacks.", APP),
    CommandLine(
        "buildpacks:remove", "[APP] [BUILDPACK]", "Remove a buildpack.", (*APP, "-i", "--index")
    ),
    CommandLine("buildpacks:set", "[APP] BUILDPACK", "Set the buildpack.", (*APP, "-i", "--index")),
    CommandLine("builds", "[APP]", "List the builds.", (*APP, *TABLE, "-n", "--num")),
    CommandLine("builds:cache:purge", "[APP]", "Delete an app's build cache.", (*APP, "--confirm")),
    CommandLine("builds:cancel", "[APP] [BUILD]", "Cancel a build.", APP),
    CommandLine("builds:info", "[APP] [BUILD]", "Show one build.", (*APP, *JSON)),
    CommandLine(
        "builds:output", "[APP] [BUILD]", "Print a build's output.", (*APP, *JSON, "-t", "--tail")
    ),
    CommandLine("certs", "[APP]", "List the certificates.", (*APP, *TABLE)),
    CommandLine("certs:add", "[APP] CRT KEY", "Add a certificate of your own.", APP),
    CommandLine(
        "certs:auto", "[APP] [on|off]", "Get and renew certificates automatically.", (*APP, *JSON)
    ),
    CommandLine("certs:info", "[APP] [ID|DOMAIN]", "Show certificates in full.", (*APP, *JSON)),
    CommandLine("certs:remove", "[APP] [ID|DOMAIN]", "Remove a certificate.", APP),
    CommandLine("checks:report", "[APP]", "Show how new instances are checked.", (*APP, *JSON)),
    CommandLine(
        "checks:set", "[APP] start-limit [TIME]", "Set how long an app may take to start.", APP
    ),
    CommandLine("completion", "bash|zsh", "Print a shell's completion script."),
    CommandLine("config", "[APP]", "Show the config vars.", (*APP, *JSON, "-s", "--shell")),
    CommandLine("config:edit", "[APP]", "Edit the config vars in $EDITOR.", (*APP, *_NO_RESTART)),
    CommandLine(
        "config:export", "[APP]", "Print all config vars as a file.", (*APP, *JSON, "--format")
    ),
    CommandLine("config:get", "[APP] NAME", "Print one config var.", (*APP, *JSON)),
    CommandLine(
        "config:import", "[APP]", "Set config vars from a file.", (*APP, "--unset", *_NO_RESTART)
    ),
    CommandLine(
        "config:set",
        "[APP] NAME=VALUE...",
        "Set config vars; makes a release.",
        (*APP, *_NO_RESTART),
    ),
    CommandLine(
        "config:unset",
        "[APP] NAME...",
        "Remove config vars; makes a release.",
        (*APP, *_NO_RESTART),
    ),
    CommandLine("cron", "[APP]", "List the cron jobs.", (*APP, *TABLE)),
    CommandLine("cron:resume", "[APP] [JOB...]", "Resume cron jobs.", APP),
    CommandLine("cron:run", "[APP] JOB", "Run a cron job now.", (*APP, "--detach")),
    CommandLine("cron:suspend", "[APP] [JOB...]", "Suspend cron jobs.", APP),
    CommandLine("diff", "[APP] [vA] [vB]", "Show what differs between releases.", (*APP, *JSON)),
    CommandLine("disk", "[APP]", "Show the disk usage of apps.", (*APP, *TABLE, "--all")),
    CommandLine(
        "doctor",
        "",
        "Find and repair problems of the server.",
        ("--fix", "--empty-trash", "--restore-store", "--adopt-store", *JSON),
    ),
    CommandLine("docker:report", "[APP]", "Show how an image is built.", (*APP, *JSON)),
    CommandLine("docker:runtime", "", "Show the image for slugs.", (*JSON, "--rebuild")),
    CommandLine("domains", "[APP]", "List host names and their DNS.", (*APP, *TABLE)),
    CommandLine("domains:add", "[APP] DOMAIN...", "Add host names.", (*APP, "--trust")),
    CommandLine("domains:clear", "[APP]", "Remove all domains and redirects.", APP),
    CommandLine(
        "domains:redirect",
        "[APP] FROM TO [CODE]",
        "Redirect one name to another.",
        (*APP, "--trust"),
    ),
    CommandLine("domains:remove", "[APP] DOMAIN...", "Remove host names.", APP),
    CommandLine("domains:set-global", "DOMAIN", "Change the server's domain."),
    CommandLine("domains:verify", "[APP] [DOMAIN...]", "Check pending domains now.", APP),
    CommandLine("drains", "[APP]", "List where the log is forwarded.", (*APP, *TABLE)),
    CommandLine("drains:add", "[APP] URL", "Forward the log.", (*APP, *JSON)),
    CommandLine("drains:remove", "[APP] URL|ID", "Stop forwarding the log.", APP),
    CommandLine("git:from-archive", "[APP] URL|-", "Deploy an archive.", (*APP, "--archive-type")),
    CommandLine("git:from-image", "[APP] IMAGE", "Deploy an image of a registry.", APP),
    CommandLine("git:info", "[APP]", "Show branches and commits.", (*APP, *JSON)),
    CommandLine("git:load-image", "[APP]", "Deploy an image of docker save.", APP),
    CommandLine("git:set", "[APP] deploy-branch [BRANCH]", "Choose the branch to deploy.", APP),
    CommandLine(
        "git:sync",
        "[APP] URL [REF]",
        "Fetch another repository.",
        (*APP, "--build", "--build-if-changes"),
    ),
    CommandLine("help", "[TOPIC|COMMAND]", "Show the commands, or one of them."),
    CommandLine("init", "", "Write a Procfile for this folder.", (*APP, "--force")),
    CommandLine("http-auth", "[APP]", "List an app's logins.", (*APP, *JSON)),
    CommandLine("http-auth:add-user", "[APP] USER", "Require a login, and add one.", APP),
    CommandLine("http-auth:remove-user", "[APP] USER", "Remove a login.", APP),
    CommandLine("keys", "", "List SSH keys.", TABLE),
    CommandLine("keys:add", "USER [FILE]", "Add an SSH key.", ("--admin", "--expires", "--member")),
    CommandLine("keys:remove", "FINGERPRINT", "Remove an SSH key."),
    CommandLine(
        "logs",
        "[APP]",
        "Show the log.",
        (
            *(*APP, *JSON, "-n", "--num", "-t", "--tail", "-p", "--ps", "--process-type"),
            *("-d", "--dyno", "--dyno-name", "-s", "--source", "--since", "--grep", "--release"),
            "--service",
        ),
    ),
    CommandLine("maintenance", "[APP]", "Show whether maintenance is on.", (*APP, *JSON)),
    CommandLine("maintenance:custom-page", "[APP]", "Set the maintenance page.", (*APP, "--clear")),
    CommandLine("maintenance:off", "[APP]", "Show visitors the app again.", APP),
    CommandLine("maintenance:on", "[APP]", "Show visitors a page instead.", APP),
    CommandLine("nginx:report", "[APP]", "Show the router settings.", (*APP, *TABLE)),
    CommandLine("nginx:set", "[APP] KEY [VALUE...]", "Change a router setting.", APP),
    CommandLine("open", "[APP] [PATH]", "Open the app in the browser.", (*APP, *JSON)),
    CommandLine("ports:set", "[APP] web=PORT|auto", "Choose where containers listen.", APP),
    CommandLine("proxy", "", "Show which proxy serves all apps.", JSON),
    CommandLine("proxy:set", "nginx|haproxy", "Change the proxy of all apps."),
    CommandLine("ps", "[APP]", "List the instances.", (*APP, *TABLE)),
    CommandLine("ps:restart", "[APP] [TYPE|INSTANCE...]", "Restart without losing a request.", APP),
    CommandLine("ps:scale", "[APP] [TYPE=N...]", "Set how many instances run.", (*APP, *JSON)),
    CommandLine("ps:start", "[APP] [TYPE|INSTANCE...]", "Start stopped instances.", APP),
    CommandLine("ps:stop", "[APP] [TYPE|INSTANCE...]", "Stop instances until ps:start.", APP),
    CommandLine("ps:type", "[APP] TYPE=SIZE...", "Give process types a Heroku size.", APP),
    CommandLine("ps:wait", "[APP]", "Wait until a deploy has ended.", APP),
    CommandLine("quota:report", "[APP]", "Show quotas.", (*APP, *TABLE, "--user")),
    CommandLine("quota:set", "[APP] QUOTA=VALUE...", "Set quotas (admins).", (*APP, "--user")),
    CommandLine("registry:login", "[APP] HOST USER", "Log builds in to a registry.", APP),
    CommandLine("registry:logout", "[APP] HOST", "Forget a login to a registry.", APP),
    CommandLine("releases", "[APP]", "List the releases.", (*APP, *TABLE, "-n", "--num")),
    CommandLine("releases:info", "[APP] [vN]", "Show one release.", (*APP, *JSON)),
    CommandLine("releases:output", "[APP] [vN]", "Print a release's output.", (*APP, *JSON)),
    CommandLine("releases:retry", "[APP]", "Retry the latest failed release.", APP),
    CommandLine(
        "resource:limit",
        "[APP] NAME=VALUE...",
        "Limit an app's memory, CPU and so on.",
        (*APP, "-p", "--process-type", *_NO_RESTART),
    ),
    CommandLine(
        "resource:limit-clear",
        "[APP]",
        "Remove an app's limits.",
        (*APP, "-p", "--process-type", *_NO_RESTART),
    ),
    CommandLine("resource:report", "[APP]", "Show an app's limits.", (*APP, *TABLE)),
    CommandLine("rollback", "[APP] [vN]", "Restore a release's code and config.", APP),
    CommandLine(
        "run",
        "[APP] COMMAND...",
        "Run a command in your terminal.",
        (*APP, *_RUN, "--no-tty", "-x", "--exit-code"),
    ),
    CommandLine(
        "run:detached",
        "[APP] COMMAND...",
        "Run a command in the background.",
        (*APP, *_RUN, *JSON),
    ),
    CommandLine("run:list", "[APP]", "List one-off processes.", (*APP, *TABLE)),
    CommandLine("run:stop", "[APP] run.N...", "Stop one-off processes.", APP),
    CommandLine("sandbox:report", "[APP]", "Show what an app's sandbox allows.", (*APP, *JSON)),
    CommandLine(
        "sandbox:set", "[APP] user-namespaces=on|off", "Change what an app's sandbox allows.", APP
    ),
    CommandLine("server:docker", "[status|on|off]", "Show the server's Docker engine.", JSON),
    CommandLine("server:rotate-key", "", "Seal the secrets in the database with a new key."),
    CommandLine("server:status", "", "Show what the server is doing.", JSON),
    CommandLine("static", "[APP]", "List the static paths.", (*APP, *TABLE)),
    CommandLine(
        "static:add",
        "[APP] PATH FOLDER",
        "Serve a folder's files without the app.",
        (*APP, "--expires", "--hashed"),
    ),
    CommandLine("static:remove", "[APP] PATH", "Let the app answer a path again.", APP),
    CommandLine("storage", "[APP]", "List the storage directories.", (*APP, *TABLE)),
    CommandLine("storage:add", "[APP] PATH", "Add a storage directory.", APP),
    CommandLine("storage:remove", "[APP] PATH", "Delete a storage directory.", (*APP, "--confirm")),
    CommandLine("teams", "", "List the teams.", JSON),
    CommandLine("teams:add", "TEAM USER", "Add a user to a team."),
    CommandLine("teams:create", "TEAM", "Make a team."),
    CommandLine("teams:destroy", "TEAM", "Remove a team; its members stay."),
    CommandLine("teams:remove", "TEAM USER", "Take a user out of a team."),
    CommandLine("tokens", "", "List tokens.", TABLE),
    CommandLine(
        "tokens:create",
        "",
        "Make a token for CI and the like.",
        (*APP, "--expires", "--note", "--role"),
    ),
    CommandLine("tokens:revoke", "PREFIX", "Revoke a token."),
    CommandLine("users", "", "List the users of the server.", JSON),
    CommandLine("users:add", "NAME", "Add a user.", ("--role",)),
    CommandLine("users:remove", "NAME", "Remove a user, with keys and access."),
    CommandLine("users:set-role", "NAME admin|member", "Make a user an admin or a member."),
    CommandLine("version", "", "Show the version.", JSON),
)

COMMANDS = tuple(sorted((*_OTHERS, *DATASTORE_COMMANDS), key=lambda command: command.name))
SUMMARIES = {command.name: command.summary for command in COMMANDS}
