"""OCSP answers on disk: STATE/ocsp/ID-DIGEST.der, never changed, and ID.json, which says of it."""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from paas.adapters.files import make_directory, read_bytes, remove, write_atomic
from paas.domain.interfaces import Clock
from paas.domain.ocsp import Staple

_NAME = re.compile(r"([0-9]+-[0-9a-f]{8})(?:-[0-9a-f]{16}\.der|\.json)")


class StapleDirectory:
    """`StapleFiles` of domain/interfaces."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock

    def read(self, id: str) -> Staple:
        """How it stands; as at first where the file is not there or says nonsense."""
        content = read_bytes(self._directory / f"{id}.json")
        try:
            raw = json.loads(content or b"{}")
            return Staple(
                str(raw.get("digest", "")),
                _moment(raw.get("ends_at")),
                _moment(raw.get("again")),
                int(raw.get("failures", 0)),
                str(raw.get("reason", "")),
            )
        except (ValueError, TypeError, AttributeError):
            return Staple()

    def write(self, id: str, staple: Staple) -> None:
        """Remember how it stands."""
        make_directory(self._directory, mode=0o700)
        raw = {
            "digest": staple.digest,
            "ends_at": staple.ends_at.isoformat() if staple.ends_at else None,
            "again": staple.again.isoformat() if staple.again else None,
            "failures": staple.failures,
            "reason": staple.reason,
        }
        write_atomic(self._directory / f"{id}.json", json.dumps(raw), mode=0o600)

    def keep(self, id: str, der: bytes) -> str:
        """Write an answer; its digest."""
        make_directory(self._directory, mode=0o700)
        digest = sha256(der).hexdigest()[:16]
        path = self._path(id, digest)
        if read_bytes(path) != der:
            write_atomic(path, der, mode=0o600)
        return digest

    def path(self, id: str) -> Path | None:
        """The answer to send along now; None where there is none, or it is too old."""
        staple = self.read(id)
        path = self._path(id, staple.digest)
        return path if staple.is_in_force(self._clock.now()) and path.exists() else None

    def prune(self, id: str) -> None:
        """Delete the answers that are not the present one: nginx, which has it, starts without."""
        present = self._path(id, self.read(id).digest)
        for path in self._directory.glob(f"{id}-*.der"):
            if path != present:
                remove(path)

    def remove(self, id: str) -> None:
        """All that is kept for a certificate."""
        for path in [*self._directory.glob(f"{id}-*.der"), self._directory / f"{id}.json"]:
            remove(path)

    def all(self) -> list[str]:
        """The ids of the certificates that anything is kept for."""
        if not self._directory.exists():
            return []
        found = (_NAME.fullmatch(path.name) for path in self._directory.iterdir())
        return sorted({match[1] for match in found if match})

    def _path(self, id: str, digest: str) -> Path:
        return self._directory / f"{id}-{digest}.der"


def _moment(raw: object) -> datetime | None:
    return datetime.fromisoformat(str(raw)).astimezone(UTC) if raw else None
