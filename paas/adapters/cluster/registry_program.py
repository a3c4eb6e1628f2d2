"""The registry for nodes as a program of this server: its files and its command lines.

It is Debian's docker-registry, as the package's own account, which may read its settings and write
its images, and nothing else. Configuration: https://distribution.github.io/distribution/about/
configuration/ (version 2.8).
"""

import json
import pwd
import secrets
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.cluster.registry_certificates import is_due, issue
from paas.adapters.cluster.registry_record import RegistryRecord, read_record
from paas.adapters.system.files import make_directory, read_bytes, write_atomic
from paas.adapters.system.passwords import hash_password
from paas.domain.values.errors import PaasError
from paas.settings import Settings

REGISTRY = "registry"
# Whom it lets in.
USER = "node"
# What all images are called.
REPOSITORY = "paas"
PROGRAM = Path("/usr/bin/docker-registry")
_ACCOUNT = "docker-registry"
_CONF, _LOGINS, _CERTIFICATE = "registry.json", "logins", "certificate.pem"


def registry_argv(settings: Settings) -> list[str]:
    """Write its files; returns how it is started, in the foreground. Raises PaasError."""
    record = read_record(settings)
    if record is None:
        raise PaasError("no-cluster", "This server manages no nodes, so it needs no registry.")
    account = _account()
    make_directory(settings.paths.registry, mode=0o750, owner=(0, account.pw_gid))
    make_directory(images(settings), mode=0o700, owner=(account.pw_uid, account.pw_gid))
    files: dict[str, str | bytes] = {
        _LOGINS: f"{USER}:{hash_password(record.password)}\n",
        _CERTIFICATE: _certificate(settings, record),
        _CONF: _conf(settings, record),
    }
    for name, content in files.items():
        path = settings.paths.registry / name
        write_atomic(path, content, mode=0o640, owner=(0, account.pw_gid))
    return ["/usr/bin/setpriv", "--pdeathsig", "TERM", *_as_account(settings, account, "serve")]


def require_program() -> None:
    """Raises PaasError if this machine has no docker-registry."""
    _account()


def collecting_argv(settings: Settings) -> list[str]:
    """What deletes the parts of images of which no image is left; while nothing is published."""
    words = _as_account(settings, _account(), "garbage-collect")
    return ["/usr/bin/setpriv", "--pdeathsig", "KILL", *words]


def images(settings: Settings) -> Path:
    """Its images, in its own format."""
    return settings.paths.registry / "images"


def is_renewal_due(settings: Settings) -> bool:
    """Whether it has a certificate that another start would renew."""
    present = read_bytes(settings.paths.registry / _CERTIFICATE)
    return present is not None and is_due(present, datetime.now(UTC))


def _account() -> pwd.struct_passwd:
    try:
        if PROGRAM.exists():
            return pwd.getpwnam(_ACCOUNT)
        raise KeyError(PROGRAM)
    except KeyError as error:
        raise PaasError(
            "registry-not-installed",
            "docker-registry, from which nodes pull images, is not installed on this machine.",
            "The administrator: install.sh --docker",
        ) from error


def _as_account(settings: Settings, account: pwd.struct_passwd, verb: str) -> list[str]:
    """The rest of setpriv's words: without any right of root's."""
    return [
        *(f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"),
        *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
        *(str(PROGRAM), verb, str(settings.paths.registry / _CONF)),
    ]


def _certificate(settings: Settings, record: RegistryRecord) -> bytes:
    """The present one, or a new one if that is due."""
    now = datetime.now(UTC)
    present = read_bytes(settings.paths.registry / _CERTIFICATE)
    if present is not None and not is_due(present, now):
        return present
    return issue(settings.paths.registry_authority.read_bytes(), record.address, now)


def _conf(settings: Settings, record: RegistryRecord) -> str:
    """YAML, of which JSON is a part.

    It keeps nothing in memory of which blobs there are: another process deletes them.
    """
    own = settings.paths.registry
    pem = str(own / _CERTIFICATE)
    purging = {"enabled": True, "age": "24h", "interval": "6h", "dryrun": False}
    conf = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(images(settings))},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": purging},
        },
        "http": {
            "addr": record.host,
            "secret": secrets.token_hex(16),
            "tls": {"certificate": pem, "key": pem, "minimumtls": "tls1.2"},
        },
        "auth": {"htpasswd": {"realm": "paas", "path": str(own / _LOGINS)}},
    }
    return json.dumps(conf, indent=1)
