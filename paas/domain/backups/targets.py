"""Where a server stores its backups: a directory, or a bucket of an S3-compatible service."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown
from paas.domain.values.secret import Secret

DEFAULT_REGION = "us-east-1"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_ACCESS_KEY = re.compile(r"[A-Za-z0-9._/+=-]{1,128}")
_SECRET_MAX = 512
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """A directory of this machine. directory: None means the platform's own, ``state/backups``."""

    directory: PurePosixPath | None = None

    @property
    def words(self) -> str:
        """Where it is, in prose."""
        return "this server's own disk" if self.directory is None else f"{self.directory}"


@dataclass(frozen=True, slots=True)
class S3Target:
    """A bucket. endpoint: a URL without a path; None means Amazon's. prefix: of each name there.

    URLs contain the bucket in the path, not in the host name, which every S3-compatible service
    accepts.
    """

    bucket: str
    endpoint: str | None
    region: str
    prefix: str
    access_key: str
    secret_key: Secret

    @property
    def words(self) -> str:
        """Where it is, in prose."""
        where = f"{self.bucket}/{self.prefix}" if self.prefix else self.bucket
        return f"the bucket {where} at {self.endpoint or 'Amazon S3'}"


Target = LocalTarget | S3Target


def local_target(directory: str | None) -> LocalTarget:
    """Validate a directory: an absolute path without ``..``."""
    if directory is None:
        return LocalTarget()
    path = PurePosixPath(directory)
    if not path.is_absolute() or ".." in path.parts or "\0" in directory or len(path.parts) < 2:
        raise usage_error(
            "backup-directory",
            f"{shown(directory)} is not the absolute path of a directory for backups.",
            "For example: paas backups:target local /mnt/backups",
        )
    return LocalTarget(path)


def s3_target(
    bucket: str,
    *,
    endpoint: str | None,
    region: str | None,
    prefix: str | None,
    access_key: str,
    secret_key: str,
) -> S3Target:
    """Validate the name of a bucket and its credentials."""
    checks = (
        ("bucket", _BUCKET.fullmatch(bucket), shown(bucket)),
        ("region", region is None or _REGION.fullmatch(region), shown(region or "")),
        (
            "prefix",
            prefix is None or (_PREFIX.fullmatch(prefix) and len(prefix) <= _LONGEST),
            shown(prefix or ""),
        ),
        ("access key", _ACCESS_KEY.fullmatch(access_key), "what was given"),
        (
            "secret key",
            0 < len(secret_key) <= _SECRET_MAX
            and secret_key.isascii()
            and secret_key.isprintable(),
            "what was read",
        ),
    )
    for what, is_right, given in checks:
        if not is_right:
            raise usage_error(
                "backup-bucket",
                f"The {what} is wrong: {given}.",
                "For example: paas backups:target s3 my-backups --endpoint "
                "https://s3.example.com --access-key AKIA... < secret-key",
            )
    return S3Target(
        bucket,
        _endpoint(endpoint) if endpoint is not None else None,
        region or DEFAULT_REGION,
        prefix or "",
        access_key,
        Secret(secret_key),
    )


def _endpoint(text: str) -> str:
    """``https://HOST[:PORT]``; plain HTTP only to this machine."""
    problem = "it must be a URL such as https://s3.example.com, without a path"
    try:
        url = urlsplit(text)
        port = f":{url.port}" if url.port is not None else ""
    except ValueError:
        url, port = urlsplit(""), ""
    host = url.hostname or ""
    if url.scheme == "http" and host not in {"localhost", "127.0.0.1"}:
        problem = "http:// would send the requests unprotected; https:// is needed"
    elif (
        url.scheme in {"http", "https"}
        and re.fullmatch(r"[a-z0-9.-]+", host)
        and url.path in {"", "/"}
        and not (url.query or url.fragment or url.username or url.password)
    ):
        return f"{url.scheme}://{host}{port}"
    raise usage_error(
        "backup-bucket",
        f"The endpoint {shown(text)} is wrong: {problem}.",
        "For example: --endpoint https://s3.example.com",
    )
