"""Who may reach the apps' ports: an nftables table of the platform's own, see nft(8).

From this machine only root and the proxy, from the network nobody, over IPv4 and IPv6. An app that
listens on another port than its own is not reached from the network either: by its uid. Only the
packets that open a connection are looked at, so that replies and other tables are not touched.

A port that is claimed for one app answers from no other: the second packet of a connection carries
the uid of who listens. A port in no claim is left alone, so that nothing is lost with the claims.

New connections to a port can be held up for a moment: their first packets are dropped, and the
client's kernel sends them again after a second. The end of it is in the rules: it comes by itself.
"""

import os
import pwd
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from paas.adapters.process import exit_words, run
from paas.domain.errors import PaasError
from paas.settings import Settings

NFT = Path("/usr/sbin/nft")
NFT_LIMIT_S = 10.0
NOBODY = 65534

_TABLE = """\
table inet {table}
delete table inet {table}
table inet {table} {{
    set claimed {{
        type inet_service
    }}
    set owners {{
        type inet_service . uid
    }}
    set held {{
        type inet_service
        flags timeout
    }}
    chain output {{
        type filter hook output priority 0; policy accept;
        oif "lo" tcp dport {first}-{last} tcp flags & (fin|syn|rst|ack) == syn \
meta skuid != {{ 0, {proxy} }} reject with tcp reset
        oif "lo" tcp sport @claimed tcp flags & (syn|ack) == (syn|ack) \
meta skuid {first_uid}-{last_uid} tcp sport . meta skuid != @owners drop
        oif != "lo" meta skuid {first_uid}-{last_uid} tcp flags & (syn|ack) == (syn|ack) drop
    }}
    chain input {{
        type filter hook input priority 0; policy accept;
        iif != "lo" tcp dport {first}-{last} tcp flags & (fin|syn|rst|ack) == syn \
reject with tcp reset
        tcp flags & (fin|syn|rst|ack) == syn tcp dport @held drop
    }}
}}
"""


class NftFirewall:
    """The rules for the ports of settings.ports; must run as root."""

    def __init__(self, settings: Settings) -> None:
        self._first, self._last = settings.ports
        self._first_uid, self._last_uid = settings.uids
        self._proxy_user = settings.proxy_user
        self._table = f"paas_{self._first:d}"

    def install(self, claims: Sequence[tuple[int, int]] = ()) -> None:
        """Put the rules up, in one transaction, in place of former ones of this server.

        claims: ports and the uids that may listen there. Raises PaasError with nft's own words
        where they cannot be.
        """
        try:
            proxy = pwd.getpwnam(self._proxy_user).pw_uid
        except KeyError as error:
            raise _failure(f"there is no account {self._proxy_user!r}") from error
        rules = _TABLE.format(
            table=self._table,
            first=int(self._first),
            last=int(self._last),
            first_uid=int(self._first_uid),
            last_uid=int(self._last_uid),
            proxy=proxy,
        )
        _nft(["-f", "-"], rules + self._elements("add", claims))

    def claim(self, claims: Sequence[tuple[int, int]]) -> None:
        """Have these ports answer from these uids alone; nothing where the rules are not up."""
        with suppress(PaasError):
            _nft(["-f", "-"], self._elements("add", claims))

    def release(self, claims: Sequence[tuple[int, int]]) -> None:
        """Undo such claims; no error where there are none."""
        with suppress(PaasError):
            # nft deletes only what is there.
            lines = self._elements("add", claims) + self._elements("delete", claims)
            _nft(["-f", "-"], lines)

    def hold(self, ports: Sequence[int], limit_s: int) -> None:
        """Hold up new connections to these ports, so long at most; nothing without the rules."""
        each = ", ".join(f"{port:d} timeout {limit_s:d}s" for port in ports)
        with suppress(PaasError):
            _nft(["-f", "-"], f"add element inet {self._table} held {{ {each} }}\n")

    def let_in(self) -> None:
        """Hold up no new connection any longer."""
        with suppress(PaasError):
            _nft(["-f", "-"], f"flush set inet {self._table} held\n")

    def _elements(self, verb: str, claims: Sequence[tuple[int, int]]) -> str:
        if not claims:
            return ""
        ports = ", ".join(f"{port:d}" for port, _ in claims)
        owners = ", ".join(f"{port:d} . {uid:d}" for port, uid in claims)
        table = f"{verb} element inet {self._table}"
        return f"{table} claimed {{ {ports} }}\n{table} owners {{ {owners} }}\n"

    def remove(self) -> None:
        """Take the rules down; no error where there are none."""
        _nft(["-f", "-"], f"table inet {self._table}\ndelete table inet {self._table}\n")

    def status(self) -> str | None:
        """None where the rules hold, else why not, in words. It tries: nobody must be refused."""
        try:
            _nft(["list", "table", "inet", self._table], "")
        except PaasError as error:
            return error.message
        listener = self._listener()
        if listener is None:
            return None  # every port of the range is in use; the rules are there
        with listener:
            port = listener.getsockname()[1]
            if not _connects_as(0, port):
                return "the rules refuse root as well"
            if _connects_as(NOBODY, port):
                return "the rules are there, but do not keep another account from an app's port"
        return None

    def _listener(self) -> socket.socket | None:
        """A socket that listens on some port of the range, from its end."""
        for port in range(self._last, self._first - 1, -1):
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                listener.bind(("127.0.0.1", port))
                listener.listen(2)
            except OSError:
                listener.close()
            else:
                return listener
        return None


def _connects_as(uid: int, port: int) -> bool:
    """Whether a process of that uid can connect: a forked child that gives up its rights."""
    child = os.fork()
    if child == 0:
        try:
            if uid:
                os.setgroups([])
                os.setgid(uid)
                os.setuid(uid)
            with socket.create_connection(("127.0.0.1", port), 2.0):
                os._exit(0)
        except OSError:
            pass
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _nft(arguments: list[str], rules: str) -> str:
    """Run nft with the rules on its stdin; returns what it prints. Raises PaasError."""
    if not NFT.exists():
        raise _failure("nft is not installed")
    done = run(
        [NFT, *arguments],
        description="Setting the firewall",
        timeout_s=NFT_LIMIT_S,
        env={"LC_ALL": "C.UTF-8"},
        stdin=rules.encode(),
        check=False,
    )
    words = done.output.decode(errors="replace")
    if not done.ok:
        raise _failure(words.strip().partition("\n")[0] or exit_words(done.status))
    return words


def _failure(reason: str) -> PaasError:
    return PaasError(
        "firewall",
        f"The apps' ports are not closed to other accounts and the network: {reason}.",
        "Where nftables works, put the rules up with: sudo paas doctor --fix",
    )
