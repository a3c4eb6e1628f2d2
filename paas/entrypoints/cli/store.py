"""What doctor and server:status print about the database, and restoring one."""

from paas.adapters.server import daemons
from paas.domain.server.trash import StoreCopy
from paas.domain.values.errors import PaasError, StoreForeignError, StoreKeyError, StoreOlderError
from paas.entrypoints.cli.session import Session

SHOWN = 5


def print_fault(session: Session, fault: PaasError) -> None:
    """Print its problem, the copies of it, and what can be done."""
    session.terminal.warn(fault.report)
    if isinstance(fault, StoreKeyError):
        session.terminal.detail(str(fault.hint))
        return
    state = session.services.settings.state
    copies = session.services.recovery.copies()
    whole = [copy for copy in copies if copy.fault is None]
    for copy in copies[:SHOWN]:
        said = _apps(copy) if copy.fault is None else f"cannot be used: {copy.fault}"
        session.terminal.detail(f"{copy.path}, of {copy.at:%Y-%m-%d %H:%M:%S} UTC, {said}")
    if whole:
        session.terminal.warn("To restore the newest intact copy: paas doctor --restore-store")
    else:
        session.terminal.warn(
            f"No copy in {state / 'copies'} can be used. Restore a backup of yours as "
            f"{state / 'state.db'}, then: paas doctor --adopt-store"
        )
    if isinstance(fault, StoreForeignError | StoreOlderError):
        session.terminal.warn("To use the present database from now on: paas doctor --adopt-store")
    session.terminal.detail("Files that the database then does not know go to the trash.")


def restore(session: Session) -> None:
    """Restore the newest intact copy, and bring the server in line with it."""
    copy = session.services.recovery.restore(session.terminal)
    session.terminal.step(
        f"The database is the copy of {copy.at:%Y-%m-%d %H:%M:%S} UTC: {_apps(copy)}"
    )
    _reconcile(session)


def adopt(session: Session) -> None:
    """Use the present database, and bring the server in line with it."""
    session.services.recovery.adopt(session.terminal)
    session.terminal.step("The present database is this server's from now on")
    _reconcile(session)


def _reconcile(session: Session) -> None:
    if daemons.supervisord_pid(session.services.settings) is None:
        session.terminal.detail("To start the server: paas server:start")
        return
    with session.terminal.doing("looking at the apps"):
        session.services.reconcile.run(session.terminal)
    if session.services.trash.listing():
        session.terminal.warn(
            "Files that the database does not know are in the trash. See: paas doctor"
        )


def _apps(copy: StoreCopy) -> str:
    return "1 app" if copy.apps == 1 else f"{copy.apps} apps"
