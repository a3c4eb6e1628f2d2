"""The one door of all operations: arguments, audit trail, and what becomes of errors."""

from collections.abc import Mapping

from paas.adapters.system.disk_faults import disk_fault
from paas.domain.values.errors import PaasError, usage_error
from paas.entrypoints.failure import plain
from paas.entrypoints.operations.call import Call
from paas.entrypoints.operations.shapes import read
from paas.entrypoints.operations.table import OPERATIONS, Operation


def perform(call: Call, name: str, raw: Mapping[str, object]) -> None:
    """Run an operation and answer it, with its value or the error that ended it.

    Raises what is not an error for a user; it is recorded by then.
    """
    try:
        call.answer(_run(call, name, raw))
    except (PaasError, OSError) as error:
        shown = error if isinstance(error, PaasError) else disk_fault(error)
        if shown is None:
            raise
        call.reply.send(plain(shown))


def _run(call: Call, name: str, raw: Mapping[str, object]) -> object:
    operation = OPERATIONS.get(name)
    if operation is None:
        raise usage_error("operation-arguments", f"There is no operation {name[:40]!r}.")
    arguments = read(operation.takes, raw)
    with call.recording.until_end(lambda: call.status):
        if operation.changes:
            _record(call, name, operation, arguments)
        if isinstance(app := arguments.get("app"), str | int):
            arguments["app"] = call.app_name(app)
        return operation.run(call, **arguments)


def _record(call: Call, name: str, operation: Operation, arguments: dict[str, object]) -> None:
    app = arguments.get("app")
    call.recording.operation(
        name,
        list(operation.words(**arguments)),
        operation.options(**arguments),
        app=call.shown_app(app) if isinstance(app, str | int) else None,
    )
