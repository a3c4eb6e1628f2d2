"""One-off processes: in the background, or attended by a client that comes with a secret."""

from collections.abc import Callable, Mapping

from paas.domain.people.permissions import Permission
from paas.domain.runs.runs import Run
from paas.domain.values.errors import PaasError
from paas.domain.values.names import assignment
from paas.entrypoints.attached.client import Client
from paas.entrypoints.attached.meeting import Meeting
from paas.entrypoints.cli.waiting import Watch
from paas.entrypoints.failure import rendered
from paas.entrypoints.operations.call import Call
from paas.services.runs.runs import RunRequest

MEET_LIMIT_S = 60.0
_ROWS, _COLUMNS, _SIZE_MAX = 24, 80, 10_000
_NO_TERMINAL_NAME = "dumb"


def listing(call: Call, *, app: str) -> list[dict[str, object]]:
    """The one-off processes that run."""
    found = call.services.app_runs.listing(call.actor, app)
    return [{**_plain(run, app), "user": run.user} for run in found]


def detach(call: Call, *, app: str, command: str, env: Mapping[str, str]) -> object:
    """Run a command in the background."""
    run = call.services.app_runs.detach(call.actor, app, _request(command, env))
    return _plain(run, app)


def attend(call: Call, *, app: str, command: str, env: Mapping[str, str], terminal: bool) -> object:
    """Run a command for the client that comes with the secret of the answer, within a minute."""
    settings = call.services.settings
    if not settings.has_rendezvous:
        raise PaasError(
            "no-rendezvous",
            "This server has no port for attended processes: that takes web_certificate in "
            "server.yml.",
            "Run it in the background, or over SSH: paas run",
        )
    found = call.services.apps.find(call.actor, app, to=Permission.OPERATE)
    watch = Watch(lambda: call.services.streams.present(call.origin, found, Permission.OPERATE))
    call.reply.wait()
    meeting = Meeting(settings.paths.rendezvous, settings.web_uid)
    client = Client(_size(env) if terminal else None, watch.ended)
    request = _request(command, env, env.get("TERM", _NO_TERMINAL_NAME) if terminal else None)
    try:
        call.status = call.services.app_runs.run(
            call.actor, app, request, client, call.progress, _meeting(call, app, meeting, client)
        )
    except PaasError as error:
        client.tell(rendered(error))
        raise
    finally:
        meeting.close()
        client.finish()
    return None


def _meeting(call: Call, app: str, meeting: Meeting, client: Client) -> Callable[[Run], None]:
    """Answers the request, and waits for the client."""

    def meet(run: Run) -> None:
        call.answer({**_plain(run, app), "secret": meeting.secret})
        client.attend(meeting.wait(MEET_LIMIT_S))

    return meet


def _request(command: str, env: Mapping[str, str], terminal: str | None = None) -> RunRequest:
    """TERM is that of the terminal, and of nothing else."""
    extra = dict(assignment(f"{name}={value}") for name, value in env.items() if name != "TERM")
    return RunRequest([command], extra, terminal)


def _size(env: Mapping[str, str]) -> tuple[int, int]:
    """Rows and columns of the terminal, as Heroku's CLI tells them."""
    return _number(env.get("LINES", ""), _ROWS), _number(env.get("COLUMNS", ""), _COLUMNS)


def _number(text: str, usual: int) -> int:
    known = text.isascii() and text.isdecimal() and len(text) <= len(str(_SIZE_MAX))
    return int(text) if known and 0 < int(text) <= _SIZE_MAX else usual


def _plain(run: Run, app: str) -> dict[str, object]:
    return {
        "app": {"id": run.app_id, "name": app},
        "name": run.label,
        "number": run.number,
        "command": run.command,
        "release": run.version,
        "since": run.since.isoformat(),
    }
