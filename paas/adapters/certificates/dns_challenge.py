"""certbot's options for proofs by DNS: its plugins, and programs of the operator's.

Plugins are packages of Debian and run within certbot, as root. A program of the operator's runs as
an account without rights (``alarm_user`` of server.yml): it can read neither the platform's state
nor anything of certbot's, only the credentials that were given for it.
"""

import os
import pwd
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path

from paas.adapters.system.files import make_directory, write_atomic
from paas.domain.certificates.dns import HOOK, PROVIDERS, DnsChallenge
from paas.domain.values.errors import PaasError
from paas.settings import Settings

PLUGINS = Path("/usr/lib/python3/dist-packages")
CREDENTIALS = "PAAS_DNS_CREDENTIALS"
# Slow providers take up to twenty minutes until all their servers have a record.
LIMIT_S = 1_800.0


@dataclass(frozen=True, slots=True)
class DnsOptions:
    """Of certbot: arguments, and what its environment has besides."""

    arguments: list[str | Path]
    env: dict[str, str] = field(default_factory=dict)


def refuse_unable(settings: Settings, dns: DnsChallenge, plugins: Path = PLUGINS) -> None:
    """Raises PaasError if the plugin or the program is not on this machine."""
    if dns.provider == HOOK:
        _account(settings)
        for path in map(Path, dns.hook):
            _refuse_program(path)
        return
    provider = PROVIDERS[dns.provider]
    if not (plugins / provider.module).is_dir():
        raise PaasError(
            "dns-plugin",
            f"certbot's plugin for {provider.title} is not installed on this server.",
            f"sudo apt-get install {provider.package}",
        )


def options(settings: Settings, dns: DnsChallenge, folder: Path) -> DnsOptions:
    """Write the credentials to a folder that only root can enter, and name them.

    Raises PaasError if the account for the operator's program is missing.
    """
    if dns.provider == HOOK:
        return _hook(settings, dns, folder)
    path = folder / "credentials.ini"
    write_atomic(path, dns.credentials.reveal().rstrip() + "\n", mode=0o600, durable=False)
    name = dns.provider
    if name == "route53":
        return DnsOptions(
            ["--authenticator", "dns-route53"], {"AWS_SHARED_CREDENTIALS_FILE": str(path)}
        )
    return DnsOptions(["--authenticator", f"dns-{name}", f"--dns-{name}-credentials", path])


def _hook(settings: Settings, dns: DnsChallenge, folder: Path) -> DnsOptions:
    account = _account(settings)
    owner = (account.pw_uid, account.pw_gid)
    # The folder around it lets nobody but root list it; this one is the account's alone.
    folder.chmod(0o711)
    own = folder / "hook"
    make_directory(own, mode=0o700, owner=owner)
    path = own / "credentials"
    write_atomic(path, dns.credentials.reveal(), mode=0o400, durable=False)
    os.chown(path, *owner)
    without_rights = [
        *("/usr/bin/setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"),
        *("--init-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"),
    ]
    lines = [shlex.join([*without_rights, program]) for program in dns.hook]
    arguments: list[str | Path] = ["--authenticator", "manual", "--manual-auth-hook", lines[0]]
    if len(lines) > 1:
        arguments += ["--manual-cleanup-hook", lines[1]]
    return DnsOptions(arguments, {CREDENTIALS: str(path)})


def _refuse_program(path: Path) -> None:
    try:
        found = path.stat()
    except OSError as error:
        raise PaasError("dns-hook", f"{path} cannot be run: {error.strerror}.") from error
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o001:
        raise PaasError(
            "dns-hook",
            f"{path} cannot be run by an account without rights.",
            f"sudo chmod 755 {path}",
        )


def _account(settings: Settings) -> pwd.struct_passwd:
    name = settings.alarm_user
    hint = "Set alarm_user in server.yml to an account without rights."
    try:
        account = pwd.getpwnam(name)
    except KeyError as error:
        raise PaasError(
            "dns-hook", f"The hook cannot run: there is no account {name!r}.", hint
        ) from error
    if account.pw_uid == 0:
        raise PaasError("dns-hook", "The hook does not run as root.", hint)
    return account
