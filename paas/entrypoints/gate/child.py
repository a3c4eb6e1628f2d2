"""What happens in a child of the gate: one request, from its first byte to its exit status."""

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, Protocol, TextIO

from paas import settings
from paas.domain.git.access import ExecPlan
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.values.errors import EXIT_USAGE, PaasError
from paas.domain.values.names import UserName
from paas.domain.values.secret import Secret
from paas.entrypoints.failure import rendered
from paas.entrypoints.gate import ssh, wire
from paas.entrypoints.gate.caller import GateCaller
from paas.entrypoints.gate.slots import Slots
from paas.entrypoints.gate.wire import BadRequestError, Request
from paas.interfaces import Caller

_UMASK = 0o022


class Slot:
    """A child's own row in the table of the gate's clients."""

    def __init__(self, slots: Slots, row: int, is_admin: Callable[[str], bool]) -> None:
        self._slots = slots
        self._row = row
        self._looks_up = is_admin
        self._user = ""

    def enter(self, user: str) -> str | None:
        """Begin a command of that user; returns why it has to wait for its turn, or None."""
        self._user = user
        return self._slots.enter(self._row, user, self._is_admin)

    def wait(self, *, is_stream: bool = False) -> None:
        """Mark the command as waiting. Raises PaasError if its user has too many of those.

        is_stream: over HTTP, where an administrator may have no more than others.
        """
        self._slots.wait(self._row, (lambda: False) if is_stream else self._is_admin)

    def leave(self) -> None:
        """The client has its answer."""
        self._slots.leave(self._row)

    def _is_admin(self) -> bool:
        return self._looks_up(self._user)


class Session:
    """The client of a request, as a command sees it. slot: None for root, which needs none."""

    def __init__(self, conn: socket.socket, slot: Slot | None = None) -> None:
        self._conn = conn
        self._slot = slot
        self._answered = False

    def reply(self, status: int) -> None:
        """Send the client its exit status and let it exit; only the first call counts.

        The command may continue: what it prints from here on is discarded.
        """
        if self._answered:
            return
        self._answered = True
        _flush()
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.close(null)
        wire.answer_exit(self._conn, status)
        self._conn.close()
        if self._slot is not None:
            self._slot.leave()

    def reply_exec(self, plan: ExecPlan) -> None:
        """Tell the client what to execute."""
        self._answered = True
        _flush()
        wire.answer_exec(self._conn, plan)
        self._conn.close()

    @property
    def caller(self) -> Caller:
        """The client, for a command that gives its terminal to a process."""
        return GateCaller(self._conn, self._slot.wait if self._slot is not None else lambda: None)

    def client_gone(self) -> bool:
        """Whether the client no longer waits: it has exited, or has its answer."""
        return self._answered or wire.client_gone(self._conn)


Handler = Callable[[Request, Session], int | ExecPlan]


class RunCommand(Protocol):
    """The command line: paas.entrypoints.cli.main.run."""

    def __call__(
        self,
        argv: list[str],
        *,
        actor_name: str | None,
        origin: Origin,
        token: Secret | None,
        env: Mapping[str, str],
        reply: Callable[[int], None],
        client_gone: Callable[[], bool],
        caller: Caller,
    ) -> int: ...


class GitService(Protocol):
    """What a git service may execute: paas.entrypoints.cli.main.git_service.

    words: the service (``git-receive-pack``) and the app's name. An int is an exit status.
    """

    def __call__(
        self,
        words: list[str],
        *,
        actor_name: str | None,
        origin: Origin,
        token: Secret | None,
        env: Mapping[str, str],
    ) -> ExecPlan | int: ...


def commands(etc: Path) -> Handler:
    """The handler of a real server; imports and compiles what all commands need, once."""
    from paas.adapters.docker import connection
    from paas.adapters.proxy.nginx.http_conf import load_templates
    from paas.adapters.proxy.nginx.tls import installed_tls
    from paas.adapters.runtime.native import usage
    from paas.entrypoints.cli import main as cli
    from paas.store import seals

    load_templates()
    seals.load()
    usage.load()
    installed_tls()
    with suppress(PaasError):  # bad settings are for each command to tell
        cli.services_of(str(etc))
        if settings.load(etc / "server.yml").docker:
            connection.load()
    return dispatcher(etc, cli.run, cli.git_service)


def dispatcher(etc: Path, run: RunCommand, git_service: GitService) -> Handler:
    """A handler that parses SSH commands and passes on words or git services.

    Both get the request's environment and PAAS_ETC.
    """

    def handle(request: Request, session: Session) -> int | ExecPlan:
        env = {**request.env, "PAAS_ETC": str(etc)}
        asked = request.argv if request.command is None else ssh.parse(request.command)
        if isinstance(asked, ssh.GitRequest):
            words = [asked.service, asked.app]
            return git_service(
                words,
                actor_name=request.user,
                origin=request.origin,
                token=request.token,
                env=env,
            )
        return run(
            list(asked),
            actor_name=request.user,
            origin=request.origin,
            token=request.token,
            env=env,
            reply=session.reply,
            client_gone=session.client_gone,
            caller=session.caller,
        )

    return handle


def administrators(etc: Path) -> Callable[[str], bool]:
    """A function that says whether a user of that server is an administrator."""
    from paas.entrypoints.cli import main as cli

    def is_admin(name: str) -> bool:
        try:
            user = cli.services_of(str(etc)).store.users.find(UserName(name))
        except PaasError:
            return False  # the command itself reports why
        return user is not None and Actor(user).is_admin

    return is_admin


def serve(
    conn: socket.socket, handler: Handler, *, slot: Slot | None, log: Callable[[str], None]
) -> NoReturn:
    """Serve one client in this process, which is a fresh fork, and end it.

    slot: None if the client is root, which may ask without naming a user.
    """
    try:
        become_session()
        request, fds = wire.receive(conn)
        why = slot.enter(request.user or "") if slot is not None else None
        if why is not None:
            wire.answer_busy(conn, why)
            os._exit(0)
        take_terminal(fds)
        session = Session(conn, slot)
        session.reply(_run(handler, request, session, trusted=slot is None, log=log))
    except (BadRequestError, PaasError, OSError) as error:
        log(f"refused a request: {error}")
        wire.answer_exit(conn, EXIT_USAGE)
    except BaseException:
        log(traceback.format_exc())
    finally:
        os._exit(0)


def _run(
    handler: Handler,
    request: Request,
    session: Session,
    *,
    trusted: bool,
    log: Callable[[str], None],
) -> int:
    """The handler's exit status, whatever it raises; a git plan is sent immediately."""
    try:
        if not trusted:
            _require_user(request)
        result = handler(request, session)
        if isinstance(result, ExecPlan):
            session.reply_exec(result)
            return 0
        _flush()
        return result
    except PaasError as error:
        sys.stderr.write(rendered(error))
        return error.exit_code
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        reference = os.urandom(4).hex()
        log(f"error {reference}\n{traceback.format_exc()}")
        sys.stderr.write(
            f" !     This command failed because of an internal error (reference {reference}).\n"
            f" !     The server's administrator can find the reason in the gate's log.\n"
        )
        return 1


def _require_user(request: Request) -> None:
    """The platform's account speaks for the user of a key: over SSH, or in a push's hook."""
    if request.user is None or (request.command is None and not request.is_hook):
        raise PaasError("not-allowed", "This account may speak only for a user, over SSH.")


def become_session() -> None:
    """Undo what the gate set up for itself, and leave its process group."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.umask(_UMASK)


def take_terminal(fds: list[int]) -> None:
    """Use the client's three descriptors as ours, with fresh text streams on them.

    stdout passes undecodable bytes through unchanged (PEP 383); stderr shows them escaped.
    """
    for target, fd in enumerate(fds):
        os.dup2(fd, target)
    for fd in fds:
        if fd > 2:
            os.close(fd)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115 - for as long as the process lives
    sys.stdout = _writer(1, "surrogateescape")
    sys.stderr = _writer(2, "backslashreplace")


def _writer(fd: int, errors: str) -> TextIO:
    """A line-buffered text stream on fd."""
    return open(fd, "w", buffering=1, encoding="utf-8", errors=errors, closefd=False)


def _flush() -> None:
    """Flush what is still buffered; a client that is gone is no error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
