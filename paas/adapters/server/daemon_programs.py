"""The programs of others that the server runs as its daemons: their command lines and environment.

It imports little: supervisord starts nginx and sshd by way of it, also again after a crash.
"""

from pathlib import Path

from paas.settings import Settings

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment() -> dict[str, str]:
    """The environment of supervisord and all that it starts; nothing of the caller's."""
    return {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root"}


def systemd_is_init() -> bool:
    """Whether systemd is PID 1 (sd_booted(3))."""
    return Path("/run/systemd/system").is_dir()


def owns_network_daemons(settings: Settings) -> bool:
    """Whether nginx and sshd run under our supervisord, and all of it not under systemd."""
    return settings.embedded or not systemd_is_init()


def nginx_argv(settings: Settings) -> list[str]:
    """Nginx in the foreground."""
    # An embedded server's nginx.conf already says "daemon off".
    extra = [] if settings.embedded else ["-g", "daemon off;"]
    return ending_with_parent(["/usr/sbin/nginx", "-c", str(settings.nginx_conf), *extra])


def sshd_argv(settings: Settings) -> list[str]:
    """sshd in the foreground."""
    extra = ["-f", str(settings.paths.sshd_config)] if settings.embedded else []
    return ending_with_parent(["/usr/sbin/sshd", "-D", "-e", *extra])


def ending_with_parent(argv: list[str]) -> list[str]:
    """How a daemon is started that ends when supervisord is killed."""
    return ["/usr/bin/setpriv", "--pdeathsig", "TERM", *argv]
