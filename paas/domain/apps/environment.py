"""What every process of an app sees: its complete environment, and how its command is run."""

from collections.abc import Mapping

from paas.domain.values.secret import Secret

# What a config var or a buildpack's profile script may replace.
DEFAULTS = {
    "HOME": "/app",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "TMPDIR": "/tmp",  # noqa: S108 - the instance's own
}

# Sources what buildpacks and the app prepared (Heroku's .profile.d and .profile), then becomes
# the command, which arrives as an argument and is never part of this text.
_SHELL = (
    'for f in /app/.profile.d/*.sh /app/.profile; do if [ -r "$f" ]; then . "$f"; fi; done; '
    'unset f; exec /bin/bash -c "$1"'
)


def instance_environment(
    config: Mapping[str, Secret],
    process: str,
    port: int | None,
    memory_mib: int = 0,
    proxy: str | None = None,
) -> dict[str, Secret]:
    """The complete environment of one process; nothing of the server's own is included.

    config: the config vars. process: ``web.1``, which the process finds in DYNO, as on Heroku.
    port: for PORT, or None if nothing is routed to it. memory_mib: the limit of its memory, for
    MEMORY_AVAILABLE, in which Heroku's buildpacks have it as well; 0: there is none. proxy: the
    address from which the proxy visits the process, if that is not loopback: Gunicorn and Uvicorn
    believe its X-Forwarded headers.
    """
    env = {name: Secret(text) for name, text in DEFAULTS.items()}
    if memory_mib:
        env["MEMORY_AVAILABLE"] = Secret(str(memory_mib))
    if proxy is not None:
        env["FORWARDED_ALLOW_IPS"] = Secret(f"127.0.0.1,{proxy}")
    env.update(config)
    env["DYNO"] = Secret(process)
    if port is not None:
        env["PORT"] = Secret(str(port))
    else:
        env.pop("PORT", None)
    return env


def shell_argv(command: str) -> tuple[str, ...]:
    """The argv that runs a Procfile command in the app's prepared shell."""
    return ("/bin/bash", "-c", _SHELL, "bash", command)
