"""Where the web process is reached: its hosts, its socket, and its certificate."""

import hashlib
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.system.files import make_directory, read_bytes, write_atomic
from paas.domain.routing.router_values import Network
from paas.settings import Settings

# git sends what it wants beside a pack; the web process counts what is in the body itself.
_MORE_MIB = 17
_CERTIFICATE_MAX_BYTES = 1024**2


@dataclass(frozen=True, slots=True)
class WebSite:
    """What the proxies need. pem: chain and key in one file; None if there is no certificate.

    plain: whether tokens may come without TLS. trusted: balancers in front of the server.
    """

    hosts: tuple[str, ...]
    socket: Path
    streams: Path
    pem: Path | None
    plain: bool
    body_mib: int
    trusted: tuple[Network, ...] = ()

    @property
    def refusal(self) -> str:
        """Why nothing is answered without TLS."""
        return (
            " !     Tokens come over HTTPS only, and this server has no certificate for "
            f"{' and '.join(self.hosts[:2])}: see web_certificate in server.yml."
        )


def newest_certificate(settings: Settings) -> Path | None:
    """The copy of the web process's certificate and key, in one file; None if there is none."""
    pems = settings.paths.web_certificates.glob("*.pem") if settings.web_certificate else ()
    return max(pems, key=lambda path: path.stat().st_mtime_ns, default=None)


def web_site(settings: Settings, trusted: tuple[Network, ...] = ()) -> WebSite | None:
    """The site of this server; None if it has none."""
    if not settings.web:
        return None
    return WebSite(
        hosts=settings.web_hosts,
        socket=settings.paths.web_socket,
        streams=settings.paths.streams_socket,
        pem=newest_certificate(settings),
        plain=settings.web_is_plain,
        body_mib=settings.max_push_mib + _MORE_MIB,
        trusted=trusted,
    )


def keep_certificate(settings: Settings) -> None:
    """Copy the certificate of the settings to where a proxy reads it, if it is a new, whole one.

    A proxy does not start with one that is damaged or missing, and the original is not ours.
    """
    if not settings.web or not settings.web_certificate:
        return
    chain, key = Path(settings.web_certificate), Path(settings.web_certificate_key)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key, password=lambda: "")
        parts = [path.read_bytes()[:_CERTIFICATE_MAX_BYTES] for path in (chain, key)]
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        print(f"web_certificate is not used: {error}", file=sys.stderr)
        return
    content = b"".join(part.strip() + b"\n" for part in parts)
    folder = settings.paths.web_certificates
    make_directory(folder.parent, mode=0o711)
    make_directory(folder, mode=0o700)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.pem"
    if read_bytes(path) != content:
        write_atomic(path, content, mode=0o600)
    newest = sorted(folder.glob("*.pem"), key=lambda pem: pem.stat().st_mtime_ns)
    for former in newest[:-2]:  # the proxy may still have the last but one
        former.unlink()
