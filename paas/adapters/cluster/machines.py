"""`NodeMachines` of interfaces by ssh: one script runs there, with a verb; it stays nowhere."""

import base64
import os
import re
import shlex
import time
from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from paas.adapters.cluster.facts import own_release, read_facts
from paas.adapters.cluster.instances import read_listening, read_usage
from paas.adapters.cluster.node_engine import merged
from paas.adapters.cluster.node_rules import node_rules
from paas.adapters.cluster.peer_rules import MANAGER_PORT
from paas.adapters.system.files import make_directory
from paas.adapters.system.subprocesses import ERROR_LINES, Finished, run
from paas.domain.cluster.joining import MachineFacts, ServerFacts
from paas.domain.cluster.nodes import SSH_PORT, Login
from paas.domain.releases.releases import Usage
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Progress
from paas.settings import Settings

_NODE, _INSTANCES = ("node_engine.sh", "node.sh"), ("instances.sh",)
_TRUST = ("trust.sh",)
_ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_CONNECT_LIMIT_S = 10
_ANSWER_LIMIT_S = 60.0
# A slow mirror, and the package lock of a machine that is upgrading itself.
_INSTALL_LIMIT_S = 900.0
# ssh(1): its own errors, not those of the command.
_SSH_FAILED = 255
_ID = re.compile(r"[a-z0-9]{20,40}")


class SshMachines:
    """Machines as root. The server has a key of its own for them, made when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._paths = settings.paths

    def public_key(self) -> str:
        key = self._key()
        return key.with_name(f"{key.name}.pub").read_text().strip()

    def server(self, address: IPv4Address, members: Collection[str]) -> ServerFacts:
        return ServerFacts(os.uname().machine, own_release(), address, frozenset(members))

    def facts(self, login: Login) -> MachineFacts:
        asked = time.time()
        done = self._script(login, "facts", what=f"Asking {login}")
        answered = time.time()
        try:
            return read_facts(done.output.decode("utf-8", "replace"), asked, answered)
        except (KeyError, ValueError) as error:
            raise PaasError(
                "node-failed",
                f"{login} sent an unexpected answer: {error}.",
                "A login script there may print something: check its /root/.bashrc",
            ) from error

    def host_key(self, login: Login) -> str:
        name = login.host if login.port == SSH_PORT else f"[{login.host}]:{login.port}"
        done = run(
            ["/usr/bin/ssh-keygen", "-l", "-F", name, "-f", self._paths.known_nodes],
            description=f"Looking up the host key of {login}",
            timeout_s=_ANSWER_LIMIT_S,
            env=_ENV,
            check=False,
        )
        found = re.search(rb"SHA256:[A-Za-z0-9+/]{43}", done.output)
        return found[0].decode() if found else "unknown"

    def prepare(
        self,
        login: Login,
        server: IPv4Address,
        peers: Collection[IPv4Address],
        progress: Progress,
    ) -> None:
        what = f"Preparing {login}"
        present = base64.b64decode(_last_line(self._script(login, "engine_file", what=what)))
        texts = {
            "rules": node_rules(self._settings, server, peers),
            "engine": merged(present.decode("utf-8", "replace")).strip(),
        }
        done = self._script(login, "prepare", texts=texts, what=what, installs=True)
        progress.detail(_last_line(done))

    def let_peers(self, login: Login, server: IPv4Address, peers: Collection[IPv4Address]) -> None:
        rules = node_rules(self._settings, server, peers)
        self._script(
            login, "close_ports", texts={"rules": rules}, what=f"Telling {login} of its peers"
        )

    def trust(self, login: Login, registry: str, authority: str) -> None:
        texts, what = {"authority": authority}, f"Telling {login} of the registry"
        self._script(login, "trust", registry, texts=texts, what=what, script=_TRUST)

    def try_registry(self, login: Login, registry: str, user: str, password: Secret) -> None:
        texts, what = {"password": password.reveal()}, f"Having {login} ask the registry"
        self._script(login, "try", registry, user, texts=texts, what=what, script=_TRUST)

    def join(self, login: Login, token: Secret, manager: IPv4Address, own: IPv4Address) -> str:
        done = self._script(
            login,
            *("join", f"{manager}:{MANAGER_PORT}", str(own)),
            texts={"token": token.reveal()},
            what=f"Having {login} join",
        )
        id = _last_line(done)
        if _ID.fullmatch(id) is None:
            raise PaasError("node-failed", f"{login} joined, but reported no valid node id: {id}")
        return id

    def leave(self, login: Login) -> None:
        self._script(login, "leave", what=f"Having {login} leave")

    def usage(self, login: Login) -> Mapping[str, Usage]:
        what = f"Asking {login} what its instances take"
        done = self._script(login, "usage", what=what, script=_INSTANCES)
        return read_usage(done.output.decode("utf-8", "replace"))

    def listening(self, login: Login, id: str) -> set[tuple[str, int]]:
        what = f"Asking {login} where {id} listens"
        done = self._script(login, "listening", id, what=what, script=_INSTANCES)
        return read_listening(done.output.decode("utf-8", "replace"))

    def _script(
        self,
        login: Login,
        *words: str,
        what: str,
        texts: Mapping[str, str] | None = None,
        installs: bool = False,
        script: Sequence[str] = _NODE,
    ) -> Finished:
        """Run a verb of a script there. words: no shell there reads anything into them."""
        lines = [f"{name}={shlex.quote(text)}\n" for name, text in (texts or {}).items()]
        done = run(
            [*self._ssh(login), shlex.join(["bash", "-s", "--", *words])],
            description=what,
            timeout_s=_INSTALL_LIMIT_S if installs else _ANSWER_LIMIT_S,
            env=_ENV,
            stdin=("".join(lines) + _text(script)).encode(),
            check=False,
        )
        if done.ok:
            return done
        printed = done.output.decode("utf-8", "replace").splitlines()[-ERROR_LINES:]
        if done.status == _SSH_FAILED:
            raise PaasError(
                "node-unreachable",
                f"{login} cannot be reached by ssh, or rejects this server's key.",
                f"Add this line to /root/.ssh/authorized_keys there: {self.public_key()}",
                context=printed,
            )
        raise PaasError("node-failed", f"{what} failed.", context=printed)

    def _ssh(self, login: Login) -> list[str]:
        """Neither root's settings nor keys; an unknown host key is taken, a changed one refused."""
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": str(self._paths.known_nodes),
            "HashKnownHosts": "no",
            "ConnectTimeout": str(_CONNECT_LIMIT_S),
            "ServerAliveInterval": "10",
            "LogLevel": "ERROR",
        }
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return [
            *("/usr/bin/ssh", "-T", "-F", "none", "-i", str(self._key()), *words),
            *("-p", str(login.port), f"root@{login.host}"),
        ]

    def _key(self) -> Path:
        key = self._paths.cluster_key
        if not key.exists():
            make_directory(key.parent, mode=0o700)
            run(
                ["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "paas", "-f", key],
                description="Making the key for nodes",
                timeout_s=_ANSWER_LIMIT_S,
                env=_ENV,
            )
        return key


def _text(script: Sequence[str]) -> str:
    """Files beside this one."""
    return "".join(Path(__file__).with_name(name).read_text() for name in script)


def _last_line(done: Finished) -> str:
    """What the script says; a login shell may have said something before."""
    return (["", *done.output.decode("utf-8", "replace").split("\n")[:-1]])[-1].strip()
