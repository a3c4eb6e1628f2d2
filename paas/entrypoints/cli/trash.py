"""What doctor and server:status print about the trash, and emptying it."""

from paas.domain.server.trash import TrashItem
from paas.entrypoints.cli.session import Session

SHOWN = 20


def plain(item: TrashItem) -> dict[str, object]:
    """Its content as JSON."""
    origins = list(item.origins)
    return {"id": item.id, "what": item.what, "from": origins, "at": item.at.isoformat()}


def warn(session: Session) -> None:
    """Print one line if it is not empty."""
    if count := len(session.services.trash.listing()):
        session.terminal.warn(f"{_things(count)} in the trash. To list them: paas doctor")


def show(session: Session) -> None:
    """Print what is in it, where, and how to delete it."""
    trash = session.services.trash
    listing = trash.listing()
    if not listing:
        return
    folder = session.services.settings.paths.trash
    size = trash.size_bytes() / 1024**2
    session.terminal.warn(
        f"{_things(len(listing))} in the trash ({size:.1f} MiB): unknown to the database, or a "
        f"database that was replaced. The files, and where they were: {folder}"
    )
    for item in listing[-SHOWN:]:
        session.terminal.detail(
            f"{item.id}  {item.what}, from {item.origins[0] if item.origins else '?'}"
        )
    if len(listing) > SHOWN:
        session.terminal.detail(f"and {len(listing) - SHOWN} older ones")
    session.terminal.detail("To delete all of it for good: paas doctor --empty-trash")


def empty(session: Session) -> None:
    """Delete it for good."""
    with session.terminal.doing("emptying the trash"):
        count = session.services.trash.empty()
    session.terminal.step(f"Deleted {_things(count)} for good" if count else "The trash is empty")


def _things(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"
