"""pg:follow, pg:unfollow, what pg:info shows about followers, and what the monitor calls"""

from typing import Any

import click

from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.following import Place, Standing
from paas.domain.datastores.kinds import AttachmentName
from paas.domain.datastores.names import attachment_name
from paas.domain.datastores.plans import PLANS, Plan
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import Session, app_option, pass_session
from paas.entrypoints.cli.terminal import print_line
from paas.services.access import require_server


@click.command("pg:follow")
@click.argument("datastore", required=False, metavar="[NAME]")
@app_option
@click.option("--as", "wanted", metavar="NAME", help="The attachment's name: STATS.")
@click.option("--plan", type=click.Choice(list(PLANS)), help="A larger plan than the leader's.")
@pass_session
def follow_command(
    session: Session, datastore: str | None, app: str | None, wanted: str | None, plan: str | None
) -> None:
    """Create a read-only copy of an app's PostgreSQL that follows it, and attach it.

    Example: paas pg:follow -a shop
    """
    chosen = attachment_name(wanted) if wanted is not None else None
    size = PLANS[plan] if plan is not None else None
    follow(session, session.app_name(app), datastore, size, chosen)


@click.command("pg:unfollow")
@click.argument("datastore", metavar="NAME")
@app_option
@pass_session
def unfollow(session: Session, datastore: str, app: str | None) -> None:
    """Make a follower independent: it accepts writes, and its apps are restarted.

    Example: paas pg:unfollow HEROKU_POSTGRESQL_AQUA -a shop
    """
    session.services.followers.unfollow(
        session.actor, session.app_name(app), datastore, session.terminal
    )


def follow(
    session: Session,
    app: str,
    leader: str | None,
    plan: Plan | None,
    alias: AttachmentName | None,
) -> None:
    """Create a follower, and print its name."""
    session.services.followers.follow(
        session.actor, app, leader, plan, alias, session.terminal, made=print_line
    )


def no_follower(leader: str) -> PaasError:
    """The error that this cannot be a follower."""
    return usage_error(
        "arguments",
        "A follower is always a PostgreSQL, and its URL has the scheme of its leader's.",
        f"For example: paas pg:follow {leader}",
    )


def mend(session: Session) -> None:
    """Finish what was interrupted, and copy again those that lost their slot; for the monitor."""
    require_server(session.actor)
    services = session.services.followers
    services.keeping.run(session.terminal)
    services.rotation.finish(session.terminal)


def following_rows(session: Session, one: Datastore) -> list[tuple[str, str]]:
    """Its leader and how far it is behind, or its followers."""
    if one.leader is not None:
        return [("Following", one.leader.name), ("Behind by", _words(session, one))]
    return [
        ("Follower", f"{follower.name}, behind by {_words(session, follower)}")
        for follower in session.services.followers.of(one)
    ]


def following_json(session: Session, one: Datastore) -> dict[str, Any]:
    """The same as JSON."""
    if one.leader is not None:
        return {"following": one.leader.name, **_plain(session, one)}
    found = session.services.followers.of(one)
    return {"followers": [{"name": each.name, **_plain(session, each)} for each in found]}


def _words(session: Session, follower: Datastore) -> str:
    if follower.state is not DatastoreState.READY:
        return f"everything: it is {follower.state}"
    found = session.services.followers.standing(follower)
    if found.place is Place.LOST:
        return "everything: it is too far behind, and is copied again within minutes"
    if found.behind_bytes is None or found.behind_s is None:
        return "unknown: it or its leader does not answer"
    waits = "" if found.place is Place.STREAMING else ", and is not receiving changes"
    return f"{size_words(found.behind_bytes)}, {found.behind_s:.0f} s{waits}"


def _plain(session: Session, follower: Datastore) -> dict[str, Any]:
    found = Standing(Place.UNKNOWN)
    if follower.state is DatastoreState.READY:
        found = session.services.followers.standing(follower)
    seconds = round(found.behind_s, 1) if found.behind_s is not None else None
    return {
        "place": str(found.place),
        "behind_bytes": found.behind_bytes,
        "behind_seconds": seconds,
    }
