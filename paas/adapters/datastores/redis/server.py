"""Redis as a datastore; implements `DatastoreServer` and `RedisServers`.

Each has a directory, ``state/datastores/3``, that belongs to its own uid: data, generated
configuration and its log. The launcher starts its server as it does an app's instance, and of the
platform's directories the server sees only its own.
"""

import secrets
from pathlib import Path

from paas.adapters.datastores import places
from paas.adapters.datastores.places import Places
from paas.adapters.datastores.read_only import FIGURE, is_kept
from paas.adapters.datastores.redis import conf, exchange, programs, users
from paas.adapters.datastores.redis.asking import ENV, PASSWORD, ask, fields, platform_file
from paas.adapters.datastores.redis.trial import limits_of, try_configuration
from paas.adapters.datastores.redis.words import words_of
from paas.adapters.datastores.server_log import last_lines
from paas.adapters.datastores.tools import DatastoreTools
from paas.adapters.runtime.native.process_tree import wait_until
from paas.adapters.system.files import write_atomic
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.redis import max_memory_mib, policy_of
from paas.domain.runtime.workloads import Workload
from paas.domain.server.findings import Finding
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.domain.values.sizes import size_words
from paas.interfaces import ClientCommand, Figures, Progress
from paas.settings import Settings

_OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")
_LABEL = "server.1"
_STOP_LIMIT_S = 60.0


class RedisServer:
    """The Redis datastores of this machine."""

    def __init__(self, settings: Settings) -> None:
        self._paths = settings.paths
        self._tools = DatastoreTools(settings)

    def installed(self) -> str | None:
        """See `DatastoreServer`."""
        found = programs.present()
        return programs.version(found) if found is not None else None

    def ensure_installed(self, progress: Progress) -> str:
        """See `DatastoreServer`."""
        return programs.ensure_installed(progress)

    def hazards(self) -> list[Finding]:
        """See `DatastoreServer`."""
        try:
            overcommit = _OVERCOMMIT.read_text().strip()
        except OSError:
            return []
        if overcommit == "1":
            return []
        return [
            Finding(
                check="datastores",
                message=f"The kernel's setting vm.overcommit_memory is {overcommit}: when memory "
                "is short, Redis cannot rewrite its file, which then grows. Set it to 1, also in a "
                "file of /etc/sysctl.d.",
                command="sysctl vm.overcommit_memory=1",
                grave=False,
            )
        ]

    def create(self, datastore: Datastore) -> None:
        """See `DatastoreServer`."""
        made = places.make(self._paths, datastore)
        write_atomic(platform_file(made), secrets.token_hex(32), mode=0o600)
        self.refresh(datastore)

    def refresh(self, datastore: Datastore) -> None:
        """See `DatastoreServer`. What differs from the present files is tried first.

        It runs before each start, so it also ends an exchange of the data that was interrupted.
        """
        exchange.settle(self._places(datastore))
        self._render(datastore, keep_former=True)

    def workload(self, datastore: Datastore) -> Workload:
        """See `DatastoreServer`."""
        found = self._places(datastore)
        server = found.conf / programs.needed().server_name
        return Workload(
            group=datastore.group,
            label=_LABEL,
            uid=datastore.uid,
            argv=places.locked(found, (str(server), str(found.conf / conf.CONF))),
            env={VarName(name): Secret(value) for name, value in ENV.items()},
            binds=found.binds,
            limits=limits_of(datastore),
            ports=(datastore.port,),
            stop_limit_s=_STOP_LIMIT_S,
        )

    def set_up(self, datastore: Datastore, limit_s: float) -> None:
        """See `DatastoreServer`; its users are in its configuration."""
        log = self._places(datastore).log
        if not wait_until(lambda: self.answers(datastore), limit_s):
            raise PaasError(
                "datastore-not-started",
                f"The server of {datastore.name} did not answer within {limit_s:g} s.",
                f"Its log is in {log}.",
                context=last_lines(log),
            )

    def add_login(self, datastore: Datastore) -> None:
        """See `DatastoreServer`."""
        self._render(datastore, keep_former=True)
        command = f"ACL SETUSER {datastore.login} reset {users.rights(datastore)}"
        ask(datastore, self._places(datastore), [command])

    def drop_former_logins(self, datastore: Datastore) -> int:
        """See `DatastoreServer`."""
        self._render(datastore, keep_former=False)
        found = self._places(datastore)
        former = users.former_logins(ask(datastore, found, ["ACL USERS"]), datastore)
        if not former:
            return 0
        ended = users.connections(ask(datastore, found, ["CLIENT LIST"]), former)
        ask(datastore, found, [f"ACL DELUSER {' '.join(former)}"])
        return ended

    def client(self, datastore: Datastore, statement: str | None) -> ClientCommand:
        """See `DatastoreServer`; redis-cli."""
        return ClientCommand(
            (
                *(str(programs.needed().cli), "-e", "-h", datastore.host),
                *("-p", str(datastore.port), "--user", datastore.login),
                *words_of(statement),
            ),
            {
                VarName(PASSWORD): datastore.password.reveal(),
                VarName("REDISCLI_HISTFILE"): "/dev/null",
            },
        )

    def answers(self, datastore: Datastore) -> bool:
        """See `DatastoreServer`; it does not while it reads its file."""
        try:
            return ask(datastore, self._places(datastore), ["PING"]).strip() == "PONG"
        except PaasError:
            return False

    def figures(self, datastore: Datastore) -> Figures:
        """See `DatastoreServer`."""
        said = ask(datastore, self._places(datastore), ["INFO", "CLIENT LIST"])
        info = fields(said)
        version = info["redis_version"]
        if "valkey_version" in info:
            version = f"{version} (Valkey {info['valkey_version']})"
        databases = (value for name, value in info.items() if name.startswith("db"))
        keys = sum(int(value.removeprefix("keys=").partition(",")[0]) for value in databases)
        more = {
            "Keys": f"{keys:d}",
            "Max memory": size_words(max_memory_mib(datastore.plan) * 1024**2),
            "Policy": info["maxmemory_policy"],
        }
        if info["maxmemory"] == conf.REACHED:
            more |= {"Policy": policy_of(datastore), **FIGURE}
        if info["aof_last_write_status"] != "ok":
            more["Disk"] = "the last write failed, and writes are refused"
        return Figures(
            size_bytes=int(info["used_memory"]),
            connections=users.connections(said),
            version=version,
            more=more,
        )

    def remove(self, datastore_id: int) -> None:
        """See `DatastoreServer`."""
        places.remove(self._paths, datastore_id)

    def configure(self, datastore: Datastore) -> None:
        """See `RedisServers`."""
        self.refresh(datastore)
        found = self._places(datastore)
        ask(datastore, found, conf.memory_commands(datastore, read_only=is_kept(found)))

    def _render(self, datastore: Datastore, *, keep_former: bool) -> None:
        """Write its configuration. keep_former: also with its former users."""
        found, installed = self._places(datastore), programs.needed()
        platform = Secret(platform_file(found).read_text())
        present = [found.conf / name for name in (conf.CONF, conf.USERS, "version")]
        texts = [path.read_text() if path.exists() else "" for path in present]
        former = users.former_lines(texts[1], datastore) if keep_former else []
        rendered = [
            conf.redis_conf(found, datastore.port, datastore, read_only=is_kept(found)),
            users.users_acl(datastore, platform, former),
            f"{installed.word} {programs.version(installed)}\n",
        ]
        if all(texts) and texts != rendered:
            try_configuration(self._tools, datastore, found, installed)
        names = [path.name for path in present]
        places.refresh(self._paths, datastore, zip(names, rendered, strict=True))
        _link(found.conf / installed.server_name, installed.server)

    def _places(self, datastore: Datastore) -> Places:
        return places.places_of(self._paths, datastore)


def _link(path: Path, target: Path) -> None:
    """A link in one of root's directories, replaced only if it leads elsewhere."""
    if path.is_symlink() and path.readlink() == target:
        return
    path.unlink(missing_ok=True)
    path.symlink_to(target)
