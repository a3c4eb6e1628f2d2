"""The commands for datastores, as commands.py lists all others."""

from paas.entrypoints.laptop.command_lines import APP, JSON, TABLE, CommandLine


def _about_dumps(prefix: str, one: str) -> tuple[CommandLine, ...]:
    """Those of a kind. one: what a datastore of it is called."""
    return (
        CommandLine(f"{prefix}:backups", "[APP]", f"List backups of each {one}.", (*APP, *TABLE)),
        CommandLine(f"{prefix}:backups:capture", "[NAME]", f"Back up a {one} now.", APP),
        CommandLine(f"{prefix}:backups:delete", "BACKUP", "Delete a backup.", (*APP, "--confirm")),
        CommandLine(f"{prefix}:backups:download", "BACKUP", "Print a backup.", APP),
        CommandLine(f"{prefix}:backups:info", "BACKUP", "Show a backup.", (*APP, *JSON)),
        CommandLine(
            f"{prefix}:backups:restore",
            "BACKUP [NAME]",
            "Restore a backup.",
            (*APP, "--confirm"),
        ),
        CommandLine(
            f"{prefix}:backups:schedule", "[NAME]", f"Back up a {one} daily.", (*APP, "--at")
        ),
        CommandLine(
            f"{prefix}:backups:schedules",
            "[APP]",
            f"Show when each {one} is backed up.",
            (*APP, *TABLE),
        ),
        CommandLine(
            f"{prefix}:backups:unschedule", "[NAME]", f"Stop daily backups of a {one}.", APP
        ),
        CommandLine(f"{prefix}:copy", "SOURCE TARGET", f"Copy a {one}.", (*APP, "--confirm")),
        CommandLine(f"{prefix}:export", "[NAME]", f"Print a dump of a {one}.", APP),
        CommandLine(f"{prefix}:import", "[NAME]", "Load a dump from stdin.", (*APP, "--confirm")),
        CommandLine(f"{prefix}:reset", "[NAME]", f"Empty a {one}.", (*APP, "--confirm")),
    )


DATASTORE_COMMANDS = (
    CommandLine("addons", "[APP]", "List the datastores.", (*APP, *TABLE)),
    CommandLine(
        "addons:attach",
        "[NAME]",
        "Give an app a datastore's URL.",
        (*APP, "--as", "--scheme", "--url"),
    ),
    CommandLine(
        "addons:create",
        "KIND[:PLAN]",
        "Create a datastore.",
        (*APP, "--as", "--follow", "--scheme"),
    ),
    CommandLine("addons:destroy", "NAME", "Delete a datastore, for good.", (*APP, "--confirm")),
    CommandLine("addons:detach", "NAME...", "Remove datastores' URLs from an app.", APP),
    CommandLine("addons:info", "[NAME]", "Show a datastore.", (*APP, *JSON)),
    CommandLine("addons:upgrade", "NAME KIND:PLAN", "Change a datastore's plan.", APP),
    CommandLine("backups:key", "", "Print the backups' key (admins).", ("--confirm-saved",)),
    CommandLine(
        "backups:recover",
        "[BACKUP]",
        "Create a datastore from a backup (admins).",
        (*APP, *JSON, "--plan", "--to"),
    ),
    CommandLine(
        "backups:target",
        "[local [DIR] | s3 BUCKET]",
        "Choose where backups go (admins).",
        ("--access-key", "--endpoint", *JSON, "--prefix", "--region"),
    ),
    CommandLine("backups:test", "", "Test the backup target (admins)."),
    CommandLine("mysql:client", "[NAME]", "Open MariaDB's client.", (*APP, "-c", "--command")),
    CommandLine(
        "mysql:credentials:rotate", "[NAME]", "Replace its login and password.", (*APP, "--force")
    ),
    CommandLine("mysql:credentials:url", "[NAME]", "Print the URL of an app's MariaDB.", APP),
    CommandLine("mysql:info", "[NAME]", "Show an app's MariaDB.", (*APP, *JSON)),
    CommandLine("mysql:promote", "NAME", "Make another one DATABASE_URL.", APP),
    CommandLine("mysql:wait", "[NAME]", "Wait until it answers.", APP),
    CommandLine("pg:bloat", "[NAME]", "Estimate wasted space.", (*APP, *JSON)),
    CommandLine("pg:blocking", "[NAME]", "Show which sessions wait for which.", (*APP, *JSON)),
    CommandLine("pg:cache-hit", "[NAME]", "Show what is read from the disk.", (*APP, *JSON)),
    CommandLine("pg:connection-pooling:attach", "[NAME]", "Share its connections.", (*APP, "--as")),
    CommandLine(
        "pg:credentials:rotate", "[NAME]", "Replace its login and password.", (*APP, "--force")
    ),
    CommandLine("pg:credentials:url", "[NAME]", "Print the URL of an app's PostgreSQL.", APP),
    CommandLine("pg:diagnose", "[NAME]", "Check an app's PostgreSQL.", (*APP, *JSON)),
    CommandLine("pg:extensions", "[NAME]", "List extensions.", (*APP, *JSON)),
    CommandLine("pg:extensions:install", "EXTENSION [NAME]", "Create an extension.", APP),
    CommandLine("pg:follow", "[NAME]", "Create a read-only copy.", (*APP, "--as", "--plan")),
    CommandLine("pg:fork", "[NAME]", "Restore to a new datastore.", (*APP, "--to", "--as")),
    CommandLine("pg:index-usage", "[NAME]", "Show how much indexes are used.", (*APP, *JSON)),
    CommandLine("pg:info", "[NAME]", "Show an app's PostgreSQL.", (*APP, *JSON)),
    CommandLine("pg:promote", "NAME", "Make another one DATABASE_URL.", APP),
    CommandLine("pg:kill", "PID [NAME]", "End a session of a database.", APP),
    CommandLine("pg:locks", "[NAME]", "Show the locks of sessions.", (*APP, *JSON)),
    CommandLine("pg:outliers", "[NAME]", "Show the slowest statements.", (*APP, *JSON)),
    CommandLine("pg:ps", "[NAME]", "Show running statements.", (*APP, *JSON)),
    CommandLine("pg:psql", "[NAME]", "Open psql.", (*APP, "-c", "--command")),
    CommandLine("pg:rehearse", "[NAME]", "Test restoring the backup.", APP),
    CommandLine("pg:settings", "[NAME]", "List settings of an app's PostgreSQL.", (*APP, *JSON)),
    CommandLine(
        "pg:settings:set", "SETTING VALUE [NAME]", "Change a setting.", (*APP, "--restart")
    ),
    CommandLine("pg:settings:unset", "SETTING [NAME]", "Reset a setting.", (*APP, "--restart")),
    CommandLine("pg:table-size", "[NAME]", "Show the largest tables.", (*APP, *JSON)),
    CommandLine("pg:upgrade", "[NAME]", "Upgrade it to a later version.", (*APP, "--to")),
    CommandLine("pg:vacuum-stats", "[NAME]", "Show dead rows.", (*APP, *JSON)),
    CommandLine("pg:unfollow", "NAME", "Make a follower independent.", APP),
    CommandLine("pg:wait", "[NAME]", "Wait until it answers.", APP),
    CommandLine("redis:cli", "[NAME]", "Open redis-cli.", (*APP, "-c", "--command")),
    CommandLine(
        "redis:credentials",
        "[NAME]",
        "Print an app's Redis URL, or replace its login.",
        (*APP, "--reset", "--force"),
    ),
    CommandLine("redis:info", "[NAME]", "Show an app's Redis.", (*APP, *JSON)),
    CommandLine(
        "redis:maxmemory",
        "[NAME]",
        "Choose what Redis does when its memory is full.",
        (*APP, "-p", "--policy"),
    ),
    CommandLine("redis:promote", "NAME", "Make another one REDIS_URL.", APP),
    CommandLine("redis:wait", "[NAME]", "Wait until it answers.", APP),
    *_about_dumps("pg", "database"),
    *_about_dumps("mysql", "MariaDB"),
    *_about_dumps("redis", "Redis"),
)
