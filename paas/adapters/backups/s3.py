"""Backups in a bucket of an S3-compatible service; implements `Objects` over obstore."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from paas.adapters.backups.local import missing
from paas.domain.backups.targets import S3Target
from paas.domain.values.errors import PaasError
from paas.interfaces.backups import Sink, StoredObject

# Of one upload or download: a part of an object, at least 5 MiB but for the last (Amazon's rule).
_PART = 8 * 1024**2
_PARTS_AT_ONCE = 2
_PART_LIMIT = timedelta(seconds=300)
_CONNECT_LIMIT = timedelta(seconds=10)
_RETRY_LIMIT = timedelta(seconds=60)
_RETRIES = 4
_REASON_MAX = 500


class S3Objects:
    """One bucket. It opens no connection before it is used.

    ca_file: verifies its certificate; None means the authorities that the machine trusts.
    """

    def __init__(self, target: S3Target, ca_file: str | None = None) -> None:
        self._target = target
        self._ca_file = ca_file
        self._opened: Any = None

    def begin(self) -> None:
        """See `Objects`; the bucket is there already."""

    @contextmanager
    def writing(self, name: str) -> Iterator[Sink]:
        """See `Objects`. Parts of an object that was not ended are left to the bucket's rules."""
        import obstore

        with self._named(name):
            file: Any = obstore.open_writer(
                self._store(), name, buffer_size=_PART, max_concurrency=_PARTS_AT_ONCE
            )
        yield self._named_write(file, name)
        with self._named(name):
            file.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """See `Objects`."""
        import obstore

        try:
            with self._named(name):
                size = int(obstore.head(self._store(), name)["size"])
        except PaasError as error:
            # Of a missing bucket, too: an answer to HEAD has no reason.
            if isinstance(error.__cause__, FileNotFoundError):
                raise missing(name, self._target.words) from error
            raise
        for start in range(0, size, _PART):
            with self._named(name):
                data: Any = obstore.get_range(
                    self._store(), name, start=start, end=min(start + _PART, size)
                )
            yield bytes(data)

    def listing(self, prefix: str) -> list[StoredObject]:
        """See `Objects`."""
        import obstore

        with self._named(prefix):
            rows: Any = obstore.list(self._store(), prefix).collect()
        return sorted((StoredObject(row["path"], row["size"]) for row in rows), key=_name)

    def delete(self, name: str) -> None:
        """See `Objects`."""
        import obstore

        with self._named(name):
            obstore.delete(self._store(), name)

    def _store(self) -> Any:
        if self._opened is None:
            from obstore.store import S3Store

            if self._ca_file is not None:
                # The library cannot be told otherwise.
                os.environ["SSL_CERT_FILE"] = self._ca_file
            target = self._target
            self._opened = S3Store(
                target.bucket,
                prefix=target.prefix or None,
                endpoint=target.endpoint or f"https://s3.{target.region}.amazonaws.com",
                region=target.region,
                access_key_id=target.access_key,
                secret_access_key=target.secret_key.reveal(),
                virtual_hosted_style_request=False,
                client_options={
                    "allow_http": (target.endpoint or "").startswith("http://"),
                    "timeout": _PART_LIMIT,
                    "connect_timeout": _CONNECT_LIMIT,
                },
                retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_LIMIT},
            )
        return self._opened

    def _named_write(self, file: Any, name: str) -> Sink:
        def write(data: bytes) -> None:
            with self._named(name):
                file.write(data)

        return write

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        """Turn errors of the library into ours; their text may be long, but contains no secret."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError) as error:
            where = self._target.words
            raise PaasError(
                "backup-target",
                f"{where[0].upper()}{where[1:]} did not accept or return {name}: {_reason(error)}",
                "Check the bucket, its endpoint and the access key: paas backups:test",
            ) from error


def _name(one: StoredObject) -> str:
    return one.name


def _reason(error: Exception) -> str:
    """What the service answered, without the library's dump of its own values."""
    text = str(error).partition("\n\nDebug source")[0]
    answer = re.search(r"<Code>([^<]+)</Code>(?:.*?<Message>([^<]*)</Message>)?", text, re.DOTALL)
    if answer is not None:
        return f"{answer[1]}: {answer[2] or 'no message'}".removesuffix(".") + "."
    return text.partition("<?xml")[0].strip()[:_REASON_MAX].removesuffix(".") + "."
