"""``python -m paas.entrypoints.streams.server --etc ETC``: the streams process.

It starts as root, listens, reads the certificate, and gives up all rights before it reads anything
from outside, as the web process does. One coroutine serves a stream, so that thousands which are
idle cost nothing, and take no thread from git and the API.
"""

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from paas.adapters.certificates.web_certificate import newest_certificate
from paas.adapters.proxy.account import proxy_account
from paas.domain.values.errors import PaasError
from paas.entrypoints.daemons.listening import NEW_NETWORK, listen
from paas.entrypoints.daemons.supervised import become_nobody, log, named_etc
from paas.entrypoints.launcher.kernel import Kernel
from paas.entrypoints.streams.http import LogStreams
from paas.entrypoints.streams.rendezvous import Rendezvous
from paas.entrypoints.streams.requests import HEAD_MAX_BYTES
from paas.settings import Settings, load

_BACKLOG = 128
_HANDSHAKE_LIMIT_S = 15.0
_GOODBYE_LIMIT_S = 5.0
_LOOK_EVERY_S = 60.0
_RENEWAL_LIMIT_S = 86_400.0
# For the ends of all streams to be sent.
_LAST_WORDS_S = 0.2


def tls(pem: Path) -> ssl.SSLContext:
    """TLS with the certificate and key in that file. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem)
    return context


def listen_at(port: int) -> socket.socket:
    """Listen for clients at all addresses of the machine. Raises OSError."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
        )
    return socket.create_server(("", port), backlog=_BACKLOG)


async def run(
    http: socket.socket,
    logs: LogStreams,
    tcp: socket.socket | None,
    context: ssl.SSLContext | None,
    rendezvous: Rendezvous,
    certificates: Path,
) -> None:
    """Serve until SIGTERM, or until there is another certificate, which takes root to read."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    servers = [await asyncio.start_unix_server(logs.serve, sock=http, limit=HEAD_MAX_BYTES)]
    if tcp is not None:
        servers.append(
            await asyncio.start_server(
                rendezvous.serve,
                sock=tcp,
                ssl=context,
                ssl_handshake_timeout=_HANDSHAKE_LIMIT_S,
                ssl_shutdown_timeout=_GOODBYE_LIMIT_S,
            )
        )
    watch = asyncio.create_task(
        renewed(certificates, lambda: logs.is_idle and rendezvous.is_idle, stopped)
    )
    await stopped.wait()
    watch.cancel()
    for server in servers:
        server.close()
    logs.stopping.set()
    await asyncio.sleep(_LAST_WORDS_S)


async def renewed(folder: Path, is_idle: Callable[[], bool], stopped: asyncio.Event) -> None:
    """Stop soon after there is another certificate; supervisord starts the process again.

    That ends all streams, so it waits for a moment without any, for a day at most.
    """
    before, waited_s = changed_ns(folder), 0.0
    while waited_s == 0 or (not is_idle() and waited_s < _RENEWAL_LIMIT_S):
        await asyncio.sleep(_LOOK_EVERY_S)
        if changed_ns(folder) != before:
            waited_s += _LOOK_EVERY_S
    log("there is another certificate: starting again")
    stopped.set()


def changed_ns(folder: Path) -> int:
    """When files of the folder came or went; 0 if it is not there."""
    return folder.stat().st_mtime_ns if folder.exists() else 0


def serve(settings: Settings) -> None:
    """Listen, give up all rights, and serve until SIGTERM."""
    paths = settings.paths
    paths.streams_socket.unlink(missing_ok=True)
    http = listen(paths.streams_socket, proxy_account(settings).pw_gid)
    for left in paths.rendezvous.iterdir():
        left.unlink(missing_ok=True)
    tcp, context = None, None
    if settings.has_rendezvous and (pem := newest_certificate(settings)) is not None:
        tcp, context = listen_at(settings.rendezvous_port), tls(pem)
    with suppress(OSError):  # where the machine gives root no right to it
        Kernel().unshare(NEW_NETWORK)
    become_nobody(settings.web_uid)
    logs, rendezvous = LogStreams(paths.web_gate_socket), Rendezvous(paths.rendezvous)
    asyncio.run(run(http, logs, tcp, context, rendezvous, paths.web_certificates))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the process of the server whose settings are in ETC/server.yml."""
    try:
        serve(load(named_etc(argv) / "server.yml"))
    except PaasError as error:
        log(error.report)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
