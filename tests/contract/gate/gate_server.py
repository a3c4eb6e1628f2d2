"""A gate with a few commands of its own, as the tests of the gate and its client need them.

As a program: ``gate_server.py ETC ACCOUNT_UID MAX_CHILDREN``; it listens where ETC/gate says, and
at web.sock beside it for the web process, whose uid is the next. That lets each token in whose text
is the name of a user and ``-token``.
"""

import os
import pwd
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from paas.domain.git.access import ExecPlan, receive_pack, upload
from paas.domain.people.origins import Origin
from paas.domain.values.errors import PaasError
from paas.domain.values.names import AppName
from paas.domain.values.secret import Secret
from paas.entrypoints.gate.child import dispatcher
from paas.entrypoints.gate.server import Gate, listen, stderr_log
from paas.entrypoints.gate.web import Reply, WebDoor
from paas.interfaces import Caller

ETC = Path(sys.argv[1]) if len(sys.argv) > 3 else Path()


def run(  # noqa: C901
    argv: list[str],
    *,
    actor_name: str | None,
    origin: Origin,
    token: Secret | None,
    env: Mapping[str, str],
    reply: Callable[[int], None],
    client_gone: Callable[[], bool],
    caller: Caller,
) -> int:
    """The commands."""
    command, *words = argv
    match command:
        case "true":
            return 0
        case "exit":
            return int(words[0])
        case "say":
            print(f"{actor_name}: {words}")
            print("narration", file=sys.stderr)
        case "origin":
            print(origin.address, origin.key, origin.ca, origin.login)
        case "token":
            print(None if token is None else [token.reveal()])
        case "env":
            print(dict(sorted(env.items())))
        case "cat":
            sys.stdout.write(sys.stdin.read())
        case "inside":
            print(sorted(int(fd.name) for fd in Path("/proc/self/fd").iterdir())[:3])
            print(os.getsid(0) == os.getpid(), oct(os.umask(0)))
        case "crash":
            raise ZeroDivisionError("on purpose")
        case "refuse":
            raise PaasError("no", "That cannot be.\nFor a reason.", "paas help", 20)
        case "kill":
            os.kill(os.getpid(), 9)
        case "background":
            print("live", flush=True)
            reply(0)
            print("nobody reads this")
            await_end(words[0])
        case "slow":
            Path(words[0] + ".started").touch()
            await_end(words[0])
        case "follow" | "hold":
            if command == "follow":
                caller.mark_waiting(lambda: False)
            Path(words[0] + ".started").touch()
            while not client_gone():
                time.sleep(0.02)
            Path(words[0]).write_text("gone")
        case "git:hook":
            return hook(actor_name, origin, token, env)
        case _:
            print(f"no command {command}", file=sys.stderr)
            return 2
    return 0


def await_end(mark: str) -> None:
    """Write the file when a test says so."""
    while not Path(f"{mark}.end").exists():
        time.sleep(0.02)
    Path(mark).write_text("done")


def hook(
    actor_name: str | None, origin: Origin, token: Secret | None, env: Mapping[str, str]
) -> int:
    """Shows what a push brings; refuses one whose option says so."""
    print(f"-----> push by {actor_name} to {env['PAAS_APP']} ({env['PAAS_APP_ID']})")
    print(f"       from {origin.address} with {origin.key}")
    print(f"       token {'none' if token is None else token.reveal()}")
    for name in ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY"):
        path = Path(env.get(name, "none"))
        print(f"       {name} {path.is_absolute()} {path.is_dir()}")
    alternates = env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", "none")
    print(f"       alternates {Path(alternates).is_absolute()} {Path(alternates).is_dir()}")
    print(f"       progress {env['PAAS_PUSH_PROGRESS']!r}")
    for line in sys.stdin:
        print(f"       ref {line.split()[2]}")
    slow = ETC / "slow-hook"
    if slow.exists():
        (ETC / "hook-started").touch()
        while slow.exists():
            time.sleep(0.02)
    return 1 if env.get("GIT_PUSH_OPTION_0") == "refuse" else 0


def git_service(
    words: list[str],
    *,
    actor_name: str | None,
    origin: Origin,
    token: Secret | None,
    env: Mapping[str, str],
) -> ExecPlan | int:
    """Lets alice use the repository NAME.git beside ETC; its lock is ETC/../locks/NAME."""
    service, app = words
    repository = ETC.parent / f"{app}.git"
    if not repository.is_dir():
        raise PaasError("no-such-app", f"There is no app {app!r}.", exit_code=20)
    user = str(actor_name)
    if service != "git-receive-pack":
        return upload(service, str(repository), user=user, protocol=env.get("GIT_PROTOCOL"))
    identity = {"PAAS_ETC": str(ETC), "PAAS_USER": user, "PAAS_APP": app, "PAAS_APP_ID": "7"}
    if token is not None:
        identity["PAAS_TOKEN"] = token.reveal()
    identity |= {"PAAS_FROM": str(origin.address), "PAAS_KEY": origin.key or ""}
    return receive_pack(
        str(repository),
        hooks=str(ETC.parent / "code" / "hooks"),
        max_push_mib=1,
        lock=str(ETC.parent / "locks" / app),
        user=user,
        identity=identity,
    )


@dataclass(frozen=True)
class TokenVisitor:
    """The user that a token names."""

    name: str
    token: Secret
    origin: Origin

    def git(self, service: str, app: AppName, protocol: str | None) -> ExecPlan:
        """As over SSH; the app "locked" is not for anybody."""
        if app == "locked":
            raise PaasError("needs-role", "You are a viewer of locked.")
        env = {} if protocol is None else {"GIT_PROTOCOL": protocol}
        words = [service, str(app)]
        plan = git_service(
            words, actor_name=self.name, origin=self.origin, token=self.token, env=env
        )
        assert isinstance(plan, ExecPlan)
        return plan

    def operate(self, operation: str, arguments: Mapping[str, object], reply: Reply) -> None:
        """Tells what came."""
        reply.send({"value": [self.name, operation, dict(arguments)]})


def admit(token: Secret, origin: Origin, asks_for: str) -> TokenVisitor:
    """Verifies a token."""
    name, _, rest = token.reveal().partition("-")
    if rest != "token":
        raise PaasError("token-unknown", "The token is not known here.")
    return TokenVisitor(name, token, origin)


def web_door(account: int) -> WebDoor:
    """Where the web process comes in."""
    path = Path((ETC / "gate").read_text().strip()).with_name("web.sock")
    entry = pwd.struct_passwd(("nobody", "x", account, account, "", "/", ""))
    return WebDoor(listen(path, gid=account + 1), account + 1, entry, admit)


def main() -> None:
    """Serve until SIGTERM."""
    account = int(sys.argv[2])
    listener = listen(Path((ETC / "gate").read_text().strip()), gid=account)
    Gate(
        listener,
        dispatcher(ETC, run, git_service),
        account_uid=account,
        log=stderr_log(),
        max_children=int(sys.argv[3]),
        is_admin=lambda name: name == "root-like",
        web=web_door(account),
    ).serve()


if __name__ == "__main__":
    main()
