"""addons, addons:create, addons:info, addons:attach, addons:detach, addons:destroy"""

import sys
from datetime import UTC, datetime
from typing import Any

import click

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.dumps import Dumped
from paas.domain.datastores.external import URL_MAX
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import attachment_name, variable
from paas.domain.datastores.plans import parse_order
from paas.domain.values.errors import usage_error
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.archives import restorable_json, restorable_rows
from paas.entrypoints.cli.backup_rows import backup_rows
from paas.entrypoints.cli.elsewhere import plain_external, show_external
from paas.entrypoints.cli.followers import follow, following_json, following_rows, no_follower
from paas.entrypoints.cli.pooler_rows import pooler_json, pooler_rows
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import list_options, print_rows, print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.datastores.finding import Shown

_FROM_NODES = "may connect, over TLS; there the password alone protects it"

_AS = click.option("--as", "wanted", metavar="NAME", help="The attachment's name: STATS.")

_SCHEME = click.option("--scheme", metavar="SCHEME", help="The URL's scheme, as mysql+pymysql.")


@click.command("addons")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List the datastores of an app, and those that are attached to it.

    Example: paas addons -a shop
    """
    name = session.app_name(app, name)
    found = session.services.datastores.listing(session.actor, name)
    elsewhere = session.services.externals.listing(session.actor, name)
    if as_json:
        print_json([*map(plain, found), *(plain_external(*one, name) for one in elsewhere)])
        return
    if not found and not elsewhere:
        session.terminal.detail(
            f"No datastores. To create one: paas addons:create postgresql -a {name}"
        )
    print_table(
        ("Name", "Plan", "State", "App", "Attached as"),
        [
            (
                one.datastore.name,
                one.datastore.plan.name,
                _state(session, one.datastore),
                one.owner,
                ", ".join(one.names) or "not attached",
            )
            for one in found
        ]
        + [
            (
                one.name,
                "external",
                _warning(session, one) or one.parsed.host,
                name,
                ", ".join(names),
            )
            for one, names in elsewhere
        ],
        flexible="Attached as",
    )


@click.command("addons:create")
@click.argument("order", metavar="KIND[:PLAN]")
@app_option
@_AS
@_SCHEME
@click.option("--follow", "leader", metavar="NAME", help="Create a read-only copy of this one.")
@pass_session
def create(
    session: Session,
    order: str,
    app: str | None,
    wanted: str | None,
    scheme: str | None,
    leader: str | None,
) -> None:
    """Create a datastore for an app and attach it: its URL becomes a config var.

    Example: paas addons:create postgresql -a shop
    """
    kind, plan, told = parse_order(order)
    chosen = attachment_name(wanted) if wanted is not None else None
    name = session.app_name(app)
    if told is not None:
        session.terminal.detail(told)
    if leader is not None:
        if kind is not DatastoreKind.POSTGRESQL or scheme is not None:
            raise no_follower(leader)
        follow(session, name, leader, plan if ":" in order else None, chosen)
        return
    session.services.datastores.create(
        session.actor, name, (kind, plan), chosen, session.terminal, made=print_line, scheme=scheme
    )


@click.command("addons:info")
@click.argument("datastore", required=False, metavar="[NAME]")
@app_option
@json_option
@pass_session
def info(session: Session, datastore: str | None, app: str | None, as_json: bool) -> None:
    """Show a datastore: its version, plan, size and connections.

    Example: paas addons:info postgresql-curly-1234 -a shop
    """
    show(session, datastore, app, None, as_json=as_json)


@click.command("addons:attach")
@click.argument("datastore", required=False, metavar="[NAME]")
@app_option
@_AS
@click.option("--url", metavar="URL", help="Of a database elsewhere; to read it from stdin: -.")
@_SCHEME
@pass_session
def attach(
    session: Session,
    datastore: str | None,
    app: str | None,
    wanted: str | None,
    url: str | None,
    scheme: str | None,
) -> None:
    """Give an app the URL of an existing datastore, also another app's or elsewhere.

    Example: paas addons:attach postgresql-curly-1234 -a blog --as STATS
    """
    chosen = attachment_name(wanted) if wanted is not None else None
    if url is not None:
        if chosen is None or datastore is not None or scheme is not None:
            raise usage_error(
                "arguments",
                "A database elsewhere is attached by its URL, under a name of your choice.",
                "For example: paas addons:attach --url - --as DATABASE < url.txt",
            )
        text = _from_stdin(session) if url == "-" else url
        session.services.externals.attach(
            session.actor, session.app_name(app), text, chosen, session.terminal
        )
        return
    if datastore is None:
        raise usage_error(
            "arguments", "No datastore was named.", "List those of an app: paas addons -a APP"
        )
    session.services.attachments.attach(
        session.actor, session.app_name(app), datastore, chosen, session.terminal, scheme=scheme
    )


@click.command("addons:detach")
@click.argument("attachments", nargs=-1, required=True, metavar="NAME...")
@app_option
@pass_session
def detach(session: Session, attachments: tuple[str, ...], app: str | None) -> None:
    """Remove URLs of datastores from an app; by a datastore's name, all of its URLs.

    Example: paas addons:detach STATS -a blog
    """
    session.services.attachments.detach(
        session.actor, session.app_name(app), attachments, session.terminal
    )


@click.command("addons:destroy")
@click.argument("datastore", metavar="NAME")
@app_option
@click.option("--confirm", metavar="NAME", help="The datastore's name, to confirm.")
@pass_session
def destroy(session: Session, datastore: str, app: str | None, confirm: str | None) -> None:
    """Delete a datastore with all data in it, for good.

    Example: paas addons:destroy postgresql-curly-1234 -a shop --confirm postgresql-curly-1234
    """
    session.services.datastores.destroy(
        session.actor, session.app_name(app), datastore, confirm, session.terminal
    )


def _state(session: Session, one: Datastore) -> str:
    """Its state, and whether it has had no good backup for too long."""
    if one.state != "ready":
        return str(one.state)
    return _warning(session, one) or str(one.state)


def _warning(session: Session, one: Dumped) -> str | None:
    """What is wrong with its backups, if anything."""
    overdue = session.services.dump_schedules.status(one).overdue
    return "no recent backup" if overdue is not None else None


def _from_stdin(session: Session) -> str:
    """The URL, which is the first line."""
    if sys.stdin.isatty():
        session.terminal.detail("Type the URL, then Enter.")
    return sys.stdin.readline(URL_MAX + 2).strip()


def show(
    session: Session,
    wanted: str | None,
    app: str | None,
    kind: DatastoreKind | None,
    *,
    as_json: bool,
) -> None:
    """Print what is known about a datastore. kind: the kind that it has to be."""
    name = session.app_name(app)
    elsewhere = session.services.externals.chosen(session.actor, name, wanted, kind)
    if elsewhere is not None:
        show_external(session, name, elsewhere, as_json=as_json)
        return
    found = session.services.datastores.info(session.actor, name, wanted, kind)
    restorable = session.services.archive_watch.restorable(found.datastore)
    if as_json:
        more = pooler_json(session, found.datastore) | following_json(session, found.datastore)
        more["from_nodes"] = found.from_nodes
        print_json(plain(found) | more | (restorable_json(restorable) if restorable else {}))
        return
    one, figures = found.datastore, found.figures
    rows = [
        ("Name", one.name),
        ("App", found.owner),
        ("Attached as", ", ".join(variable(name) for name in found.names) or "not attached"),
        ("Plan", f"{one.plan.name}: {one.plan.memory_mib} MiB of memory"),
        ("State", str(one.state) if figures or one.state != "ready" else "does not answer"),
        ("Made", f"{one.created_at:%Y-%m-%d %H:%M} UTC"),
        *([("Nodes", _FROM_NODES)] if found.from_nodes else []),
        *following_rows(session, one),
        *backup_rows(session, one),
    ]
    if figures is not None:
        rows[4:4] = [
            ("Version", f"{one.kind.traits.product} {figures.version}"),
            ("Size", size_words(figures.size_bytes)),
            ("Connections", f"{figures.connections} of {one.connections}"),
            *pooler_rows(session, one),
            *figures.more.items(),
        ]
    if restorable is not None:
        rows += restorable_rows(restorable, datetime.now(UTC))
    print_rows(rows)


def plain(found: Shown) -> dict[str, Any]:
    """The datastore as JSON, without its URL."""
    one, figures = found.datastore, found.figures
    known: dict[str, Any] = {
        "name": one.name,
        "kind": str(one.kind),
        "version": one.version,
        "plan": one.plan.name,
        "state": str(one.state),
        "app": found.owner,
        "attachments": list(found.names),
        "created_at": one.created_at.isoformat(),
    }
    if figures is not None:
        known |= {"size_bytes": figures.size_bytes, "connections": figures.connections}
        known |= {label.lower().replace(" ", "_"): text for label, text in figures.more.items()}
    return known
