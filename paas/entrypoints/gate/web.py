"""What happens in a child of the gate for the web process: one request over HTTP.

That process has no rights and speaks for nobody: each request brings the token of the person whom
it is for. A request names the service of git that it is for; one of the API names an operation
(entrypoints/operations) and its arguments instead, and is answered by a value or an error.
"""

import os
import re
import socket
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pwd import struct_passwd
from typing import NoReturn, Protocol

from paas.domain.git.access import RECEIVE_PACK, ExecPlan
from paas.domain.people.origins import Origin
from paas.domain.values.errors import EXIT_NO_APP, EXIT_USAGE, PaasError
from paas.domain.values.names import AppName, app_name
from paas.domain.values.secret import Secret
from paas.entrypoints.failure import plain, rendered
from paas.entrypoints.gate import hooks, wire
from paas.entrypoints.gate.child import Slot, become_session, take_terminal
from paas.entrypoints.gate.hooks import Deliver, HookRequest
from paas.entrypoints.gate.refused import RefusedError
from paas.entrypoints.gate.streams import OpenStream, no_streams, send_stream, stream_request
from paas.entrypoints.gate.uploads import OpenUpload, no_uploads, take_upload, upload_request
from paas.entrypoints.gate.wire import BadRequestError

# Imported before the code may be replaced, or the rights are gone.
from paas.entrypoints.gate_client import observer  # noqa: F401
from paas.entrypoints.gate_client.become import EXCHANGE, REFS, become

SERVICES = frozenset({RECEIVE_PACK, "git-upload-pack"})
_PROTOCOL = re.compile(r"[a-z0-9=:]{0,64}")
_DESCRIPTORS_MAX = 65_536


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """An operation for the API. arguments: not looked at yet. token, origin: as of `WebRequest`."""

    operation: str
    arguments: Mapping[str, object]
    token: Secret
    origin: Origin

    @property
    def asks_for(self) -> str:
        """What is wanted, as the audit trail calls it."""
        return self.operation


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One half of a git service. protocol: what the client says in Git-Protocol.

    token: for whose user it is to be run; it is not verified yet.
    """

    service: str
    half: str
    app: str
    token: Secret
    origin: Origin
    protocol: str | None = None

    @property
    def asks_for(self) -> str:
        """What is wanted, as the audit trail calls it."""
        return self.service


class Reply:
    """The one answer to an operation: see operations.call.Reply."""

    def __init__(self, conn: socket.socket, slot: Slot) -> None:
        self._conn = conn
        self._slot = slot
        self._answered = False
        self._waits = False

    def send(self, answer: Mapping[str, object]) -> None:
        """Answer, unless that was done; the rest no longer counts as its user's command.

        A stream still counts as waiting: its client has not connected yet.
        """
        if self._answered:
            return
        self._answered = True
        wire.answer_json(self._conn, answer)
        self._conn.close()
        if not self._waits:
            self._slot.leave()

    def wait(self) -> None:
        """The request only waits from here on. Raises PaasError if its user has too many of
        those."""
        self._slot.wait()
        self._waits = True

    def client_gone(self) -> bool:
        """Whether the web process has closed its end, or has its answer."""
        return self._answered or wire.client_gone(self._conn)


class Visitor(Protocol):
    """Somebody whose token was verified."""

    @property
    def name(self) -> str:
        """The user's name."""
        ...

    def git(self, service: str, app: AppName, protocol: str | None) -> ExecPlan:
        """The program of that service for this visitor. Raises PaasError if it is not allowed."""
        ...

    def operate(self, operation: str, arguments: Mapping[str, object], reply: Reply) -> None:
        """Run an operation for this visitor, and answer it."""


# Verifies a token; the text is what the request is for, as the audit trail calls it. It raises
# PaasError if the token is not valid.
Admit = Callable[[Secret, Origin, str], Visitor]


@dataclass(frozen=True, slots=True)
class WebDoor:
    """Where the web process comes in.

    uid: its own, the only one that may. account: as whom git runs. admit: verifies a token.
    open_stream, open_upload: find what a secret stands for. deliver: handles a webhook; None: there
    are none.
    """

    listener: socket.socket
    uid: int
    account: struct_passwd
    admit: Admit
    open_stream: OpenStream = no_streams
    deliver: Deliver | None = None
    open_upload: OpenUpload = no_uploads

    def serve(self, conn: socket.socket, slot: Slot, log: Callable[[str], None]) -> NoReturn:
        """Serve one request in this process, which is a fresh fork, and end it."""
        try:
            become_session()
            raw, fds = wire.receive_json(conn)
            if (wanted := stream_request(raw)) is not None:
                send_stream(wanted, self.open_stream, conn, slot, fds)
            elif (secret := upload_request(raw)) is not None:
                take_upload(secret, self.open_upload, conn, slot, fds)
            else:
                take_terminal(fds)
                self._serve(parse(raw), conn, slot, log)
        except RefusedError as refused:
            wire.answer_json(conn, {"refused": refused.status, "words": str(refused)})
        except (BadRequestError, OSError) as error:
            log(f"refused a request of the web process: {error}")
        except BaseException:
            log(traceback.format_exc())
        finally:
            os._exit(0)

    def _serve(
        self,
        request: WebRequest | OperationRequest | HookRequest,
        conn: socket.socket,
        slot: Slot,
        log: Callable[[str], None],
    ) -> None:
        if isinstance(request, OperationRequest):
            self._operate(request, Reply(conn, slot), slot)
            return
        if isinstance(request, HookRequest):
            self._receive(request, Reply(conn, slot), slot)
            return
        plan = self._plan(request, slot)
        wire.answer_json(conn, {"git": "runs"})
        wire.answer_exit(conn, self._run(plan, request.half, log))

    def _operate(self, request: OperationRequest, reply: Reply, slot: Slot) -> None:
        """Run an operation and answer it, whatever happens."""
        try:
            visitor = self.admit(request.token, request.origin, request.asks_for)
            why = slot.enter(visitor.name)
            if why is not None:
                raise PaasError("too-many-commands", why)
            visitor.operate(request.operation, request.arguments, reply)
        except PaasError as error:
            reply.send(plain(error))
        except BaseException:
            why = "This failed because of an internal error, which is in the gate's log."
            reply.send(plain(PaasError("internal-error", why)))
            raise

    def _receive(self, request: HookRequest, reply: Reply, slot: Slot) -> None:
        """Handle a webhook, whose body is our standard input; it is answered, whatever happens."""

        def answer(status: int, words: str) -> None:
            reply.send({"hook": status, "words": words})

        try:
            if self.deliver is None:
                raise BadRequestError("There are no webhooks here.")
            self.deliver(request, hooks.read_body(0), answer, slot.enter)
        finally:
            answer(500, "This failed because of an internal error, which is in the gate's log.")

    def _plan(self, request: WebRequest, slot: Slot) -> ExecPlan:
        """What to run for the request. Raises RefusedError."""
        try:
            visitor = self.admit(request.token, request.origin, request.asks_for)
        except PaasError as error:
            raise RefusedError(401, rendered(error)) from error
        why = slot.enter(visitor.name)
        if why is not None:
            raise RefusedError(429, f" !     {why}\n")
        try:
            plan = visitor.git(request.service, app_name(request.app), request.protocol)
            slot.wait()  # its hook has a place of its own
        except PaasError as error:
            missing = error.exit_code in (EXIT_NO_APP, EXIT_USAGE)
            raise RefusedError(404 if missing else 403, rendered(error)) from error
        return plan

    def _run(self, plan: ExecPlan, half: str, log: Callable[[str], None]) -> int:
        """Run git as the platform's account, with the descriptors of the request; its status.

        This process, which only waits, gives them up: their other ends learn when git has ended.
        """
        git = os.fork()
        if git == 0:
            try:
                os.closerange(3, _DESCRIPTORS_MAX)
                os.chdir("/")
                os.initgroups(self.account.pw_name, self.account.pw_gid)
                os.setresgid(*3 * (self.account.pw_gid,))
                os.setresuid(*3 * (self.account.pw_uid,))
                os._exit(become(wire.words_of(plan), half))
            finally:
                os._exit(1)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        status = os.waitstatus_to_exitcode(os.waitpid(git, 0)[1])
        if half == REFS and status != 0:
            log(f"git could not list the refs: exit status {status}")
        return status if status >= 0 else 128 - status


def parse(raw: object) -> WebRequest | OperationRequest | HookRequest:
    """Validate a request's JSON. Raises BadRequestError."""
    match raw:
        case {
            "operation": str() as operation,
            "arguments": dict() as arguments,
            "token": str() as token,
            "address": str() as address,
            **others,
        } if not others:
            return OperationRequest(operation, arguments, Secret(token), _origin(address))
        case {"hook": str()}:
            return hooks.parse(raw)
        case {
            "service": str() as service,
            "half": str() as half,
            "app": str() as app,
            "token": str() as token,
            "address": str() as address,
            "protocol": str() as protocol,
            **others,
        } if not others:
            pass
        case _:
            raise BadRequestError("The request lacks a field or has one of a wrong type.")
    if service not in SERVICES or half not in (REFS, EXCHANGE):
        raise BadRequestError("There is no such service of git over HTTP.")
    if _PROTOCOL.fullmatch(protocol) is None:
        raise BadRequestError("That is no version of git's protocol.")
    origin = _origin(address)
    return WebRequest(service, half, app, Secret(token), origin, protocol or None)


def _origin(address: str) -> Origin:
    try:
        return Origin(str(ip_address(address)))
    except ValueError as error:
        raise BadRequestError("The request's address is none.") from error
