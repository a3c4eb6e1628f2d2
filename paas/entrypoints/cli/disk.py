"""disk"""

import click

from paas.domain.server.disk_usage import PARTS
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import Session
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.server.disk import AppDisk, DiskReport

_HEADERS = ("App", *(part.capitalize() for part in PARTS), "Total", "Memory", "Owner")


@click.command("disk")
@click.option("--all", "every", is_flag=True, help="All apps, even in an app's git repository.")
@list_options
def report(session: Session, name: str | None, app: str | None, every: bool, as_json: bool) -> None:
    """Show an app's disk usage; without an app, that of each of your apps.

    An admin sees all apps, and the total of each owner's apps. Memory is what instances have
    written outside storage directories.

    Example: paas disk
    """
    named = not every and (name or app or session.default_app)
    wanted = session.app_name(app, name) if named else None
    with session.terminal.doing("adding up the sizes"):
        found = session.services.disk.report(session.actor, wanted)
    if as_json:
        print_json(_plain(found))
        return
    if not found.apps:
        session.terminal.detail("There are no apps. To create one: paas apps:create")
    print_table(
        _HEADERS,
        [_row(one) for one in found.apps],
        optional=("Owner", "Memory", "Logs", "Repository", "Cache"),
        flexible="App",
    )
    _print_sums(session, found)


def _print_sums(session: Session, found: DiskReport) -> None:
    if found.owners:
        print_line("")
        rows = [(one.name, one.apps, size_words(one.total_bytes)) for one in found.owners]
        print_table(("Owner", "Apps", "Total"), rows, flexible="Owner")
    if found.server is not None:
        sizes = (found.total_bytes, found.server.trash_bytes, found.server.free_bytes)
        apps, trash, free = map(size_words, sizes)
        session.terminal.detail(f"All apps together: {apps}. Trash: {trash}.")
        session.terminal.detail(f"Free: {free} of {size_words(found.server.size_bytes)}.")


def _row(one: AppDisk) -> tuple[str, ...]:
    parts = [size_words(getattr(one.usage, part)) for part in PARTS]
    total, layers = size_words(one.usage.total), size_words(one.layers_bytes)
    return (one.app.name, *parts, total, layers, one.app.owner or "root")


def _plain(found: DiskReport) -> dict[str, object]:
    plain: dict[str, object] = {
        "apps": [
            {
                "name": one.app.name,
                "owner": one.app.owner,
                **{f"{part}_bytes": getattr(one.usage, part) for part in PARTS},
                "total_bytes": one.usage.total,
                "layers_bytes": one.layers_bytes,
            }
            for one in found.apps
        ],
        "total_bytes": found.total_bytes,
    }
    if found.server is not None:
        plain["owners"] = [
            {"name": one.name, "apps": one.apps, "total_bytes": one.total_bytes}
            for one in found.owners
        ]
        plain["trash_bytes"] = found.server.trash_bytes
        plain["free_disk_bytes"] = found.server.free_bytes
        plain["disk_bytes"] = found.server.size_bytes
    return plain
