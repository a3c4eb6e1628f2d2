"""The certificate of the web process: the files that the proxy and the streams process read."""

import hashlib
import sys
from contextlib import suppress
from pathlib import Path

from paas.adapters.system.files import make_directory, read_bytes, write_atomic
from paas.settings import Settings

_MAX_BYTES = 1024**2


class WebCertificateDirectory:
    """`WebCertificateFiles` of interfaces."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.paths.web_certificates
        # As old as the last look at the files of the settings.
        self._mark = self._folder / "copied"

    def is_renewed(self) -> bool:
        """Whether the files that the settings name were changed since they were last copied."""
        looked_ns = self._mark.stat().st_ctime_ns if self._mark.exists() else 0
        changed_ns = 0
        for path in self._originals():
            with suppress(OSError):
                # Not the time of the content, which a copy may keep.
                changed_ns = max(changed_ns, path.stat().st_ctime_ns)
        return changed_ns > looked_ns

    def copy(self) -> None:
        """Copy the files that the settings name, if they are a new, whole certificate.

        A proxy does not start with one that is damaged or missing, and the original is not ours.
        """
        originals = self._originals()
        if not originals:
            return
        import ssl  # not for the monitor, which only asks is_renewed

        self._prepare()
        self._mark.touch()
        chain, key = originals
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(chain, key, password=lambda: "")
            parts = [path.read_bytes()[:_MAX_BYTES] for path in originals]
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            print(f"web_certificate is not used: {error}", file=sys.stderr)
            return
        self.keep(b"".join(part.strip() + b"\n" for part in parts))

    def keep(self, pem: bytes) -> None:
        """Have the proxy use this chain and key when it reads its files."""
        self._prepare()
        path = self._folder / f"{hashlib.sha256(pem).hexdigest()[:16]}.pem"
        if read_bytes(path) != pem:
            write_atomic(path, pem, mode=0o600)
        by_age = sorted(self._folder.glob("*.pem"), key=lambda pem: pem.stat().st_mtime_ns)
        for former in by_age[:-2]:  # the proxy may still have the last but one
            former.unlink()

    def _originals(self) -> tuple[Path, ...]:
        """The chain and the key that the settings name."""
        settings = self._settings
        if not settings.web or not settings.web_certificate_key:
            return ()
        return Path(settings.web_certificate), Path(settings.web_certificate_key)

    def _prepare(self) -> None:
        make_directory(self._folder.parent, mode=0o711)
        make_directory(self._folder, mode=0o700)


def newest_certificate(settings: Settings) -> Path | None:
    """Chain and key in one file, as the proxy reads it; None if there is none."""
    pems = settings.paths.web_certificates.glob("*.pem") if settings.web_certificate else ()
    return max(pems, key=lambda path: path.stat().st_mtime_ns, default=None)
