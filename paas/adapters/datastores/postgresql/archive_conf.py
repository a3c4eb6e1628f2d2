"""pgBackRest's configuration for a datastore: pure functions that render whole files.

https://pgbackrest.org/configuration.html
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from paas.adapters.datastores.places import Places
from paas.adapters.datastores.postgresql import conf
from paas.domain.backups.targets import LocalTarget, S3Target
from paas.domain.datastores.archives import FOLDER, FULLS_KEPT, ArchiveName
from paas.domain.values.secret import Secret

PROGRAM = "/usr/bin/pgbackrest"
STANZA = "main"
CONF, PUSH, CA = "pgbackrest.conf", "pgbackrest-push.sh", "target-ca.pem"
# What waits to be archived is given up beyond it, so that it does not fill the disk.
QUEUE_MAX = "1GiB"
# How long a write-ahead log that is not full waits.
ARCHIVE_TIMEOUT_S = 60
# Of a single read or write; what is unreachable is noticed after some of these.
_IO_TIMEOUT_S = 15
# Of one file, also on a slow line; and while the server stops.
_PUSH_LIMIT_S, _LAST_PUSH_LIMIT_S = 600, 5
_DROPPED = "dropped WAL file"


@dataclass(frozen=True, slots=True)
class Repository:
    """Where an archive is.

    path: on this machine, or in the bucket. passphrase: None if none is needed, to list or to
    delete.
    """

    path: str
    bucket: S3Target | None
    passphrase: Secret | None


def repository_of(
    target: LocalTarget | S3Target, own: Path, name: ArchiveName, passphrase: Secret
) -> Repository:
    """own: the directory for local targets that name none."""
    if isinstance(target, S3Target):
        prefix = f"/{target.prefix}" if target.prefix else ""
        return Repository(f"{prefix}/{FOLDER}/{name}", target, passphrase)
    return Repository(str(Path(target.directory or own) / FOLDER / name), None, passphrase)


def archive_conf(
    repository: Repository, work: Path, ca_file: Path | None, server: tuple[Places, int] | None
) -> str:
    """pgbackrest.conf. work: a directory for locks and the like. server: its places and its port.

    ca_file: verifies the target's certificate; None means the authorities that the machine trusts.
    """
    options = {
        "repo1-path": repository.path,
        **_cipher(repository.passphrase),
        "repo1-bundle": "y",
        "repo1-retention-full": FULLS_KEPT,
        **_bucket(repository.bucket, ca_file),
        "compress-type": "zst",
        "start-fast": "y",
        "archive-push-queue-max": QUEUE_MAX,
        "io-timeout": _IO_TIMEOUT_S,
        "lock-path": work / "lock",
        "log-path": work / "log",
        "spool-path": work / "spool",
        "log-level-console": "off",
        "log-level-file": "off",
        "log-level-stderr": "warn",
    }
    sections = [("global", options)]
    if server is not None:
        places, port = server
        stanza = {
            "pg1-path": places.data,
            "pg1-socket-path": places.socket,
            "pg1-port": port,
            "pg1-user": conf.SUPERUSER,
        }
        sections.append((STANZA, stanza))
    text = conf.HEADER
    for name, section in sections:
        text += f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in section.items())
    return text


def _cipher(passphrase: Secret | None) -> dict[str, object]:
    if passphrase is None:
        return {}
    return {"repo1-cipher-type": "aes-256-cbc", "repo1-cipher-pass": passphrase.reveal()}


def endpoint(bucket: S3Target) -> tuple[str, int]:
    """Host and port of a bucket's service."""
    url = urlsplit(bucket.endpoint or f"https://s3.{bucket.region}.amazonaws.com")
    return url.hostname or "", url.port or 443


def _bucket(bucket: S3Target | None, ca_file: Path | None) -> dict[str, object]:
    if bucket is None:
        return {"repo1-type": "posix"}
    host, port = endpoint(bucket)
    return {
        "repo1-type": "s3",
        "repo1-s3-bucket": bucket.bucket,
        "repo1-s3-endpoint": host,
        "repo1-storage-port": port,
        "repo1-s3-region": bucket.region,
        "repo1-s3-uri-style": "path",
        "repo1-s3-key": bucket.access_key,
        "repo1-s3-key-secret": bucket.secret_key.reveal(),
        **({"repo1-storage-ca-file": ca_file} if ca_file else {}),
    }


def push_script(conf_file: Path, dropped: Path) -> str:
    """What PostgreSQL runs for each file of its log, in its data directory.

    It records when a file was dropped. A server that is stopping waits only a few seconds for an
    unreachable target: it tries three times, and archives the rest after its next start.
    """
    return (
        "#!/bin/sh\n"
        f"{conf.HEADER}"
        f"limit={_PUSH_LIMIT_S}\n"
        f"case $(tail -n 1 postmaster.pid) in stopping*) limit={_LAST_PUSH_LIMIT_S} ;; esac\n"
        f"said=$(timeout $limit {PROGRAM} --config='{conf_file}' --stanza={STANZA} "
        'archive-push "$1" 2>&1)\n'
        "status=$?\n"
        f"case $said in *'{_DROPPED}'*) [ -e '{dropped}' ] || : > '{dropped}' ;; esac\n"
        '[ -z "$said" ] || printf \'%s\\n\' "$said" >&2\n'
        "exit $status\n"
    )


def server_settings(places: Places) -> dict[str, object]:
    """What makes a server archive, in postgresql.conf. pgBackRest looks for its name there."""
    return {
        "archive_mode": "on",
        "archive_command": f"/bin/sh '{places.conf / PUSH}' %p",
        "archive_timeout": ARCHIVE_TIMEOUT_S,
    }
