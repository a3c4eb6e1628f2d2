"""The certificates' files: STATE/certs/ID/chain.pem and key.pem, written once and never changed."""

import re
import secrets
import shutil
import ssl
from contextlib import suppress
from pathlib import Path

from paas.adapters.system.files import make_directory, sync_directory, write_atomic
from paas.domain.certificates.certificates import Bundle

_ID = re.compile(r"[0-9]+-[0-9a-f]{8}")
_STAPLE = re.compile(_ID.pattern + r"(-[0-9a-f]{16}\.der|\.json)")


class CertificateDirectory:
    """`CertificateFiles` of interfaces. Ids begin with the app's, as those of slugs do."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def new_id(self, app_id: int) -> str:
        """An id that was never used before."""
        return f"{app_id:d}-{secrets.token_hex(4)}"

    def write(self, id: str, bundle: Bundle) -> None:
        """Write both files, synced to disk when this returns. Nginx's master reads them as root."""
        make_directory(self._directory, mode=0o700)
        folder = self._folder(id)
        make_directory(folder, mode=0o700)
        write_atomic(folder / "key.pem", bundle.key, mode=0o600)
        write_atomic(folder / "chain.pem", bundle.chain, mode=0o644)
        sync_directory(self._directory)

    def paths(self, id: str) -> tuple[Path, Path] | None:
        """Chain and key; None if missing, or so damaged that the proxy would refuse them."""
        chain, key = self._folder(id) / "chain.pem", self._folder(id) / "key.pem"
        return (chain, key) if _load(chain, key) else None

    def chain(self, id: str) -> str:
        """The certificate and its issuers', PEM; nothing if it is missing."""
        try:
            return (self._folder(id) / "chain.pem").read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""

    def remove(self, id: str) -> None:
        """Delete both files; no error if there are none."""
        shutil.rmtree(self._folder(id), ignore_errors=True)

    def all(self) -> list[str]:
        """The ids of all that are there."""
        if not self._directory.exists():
            return []
        return sorted(p.name for p in self._directory.iterdir() if _ID.fullmatch(p.name))

    def _folder(self, id: str) -> Path:
        assert _ID.fullmatch(id), id
        return self._directory / id


def remove_staples(directory: Path) -> None:
    """Delete the OCSP answers that former versions kept.

    Only after the proxy has its new files: nginx does not start without a file that they name.
    """
    if not directory.is_dir():
        return
    for path in directory.iterdir():
        if _STAPLE.fullmatch(path.name):
            path.unlink()
    with suppress(OSError):  # anything else in it is not ours
        directory.rmdir()


def _load(chain: Path, key: Path) -> bool:
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password=lambda: "")
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        return False
    return True
