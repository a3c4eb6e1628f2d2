"""quota:set, quota:report"""

from collections.abc import Sequence

import click

from paas.domain.server.quotas import UNLIMITED, limit_words, quota_words
from paas.domain.values.errors import usage_error
from paas.domain.values.names import user_name
from paas.entrypoints.cli.session import Session, app_and_pairs, app_option, pass_session
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json
from paas.services.server.quotas import QuotaUse

_ORIGINS = {"app": "set for the app", "user": "set for the user", "server.yml": "server.yml"}
_USER_HELP = "A user, for all of their apps."


@click.command("quota:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] QUOTA=VALUE...")
@app_option
@click.option("--user", metavar="NAME", help=_USER_HELP)
@pass_session
def set_quotas(session: Session, words: tuple[str, ...], app: str | None, user: str | None) -> None:
    """Set the quotas of an app, or of a user and each of their apps; for admins.

    QUOTA: apps and datastores (of a user), instances, domains, disk, body. VALUE: a number or a
    size, none, or default.

    Example: paas quota:set shop disk=20g instances=50
    """
    named, values = app_and_pairs(words)
    if user is not None and (app is not None or named is not None):
        raise usage_error("which-app", "Both an app and a user are given.", "Name only one.")
    if user is not None:
        session.no_app()
        found = session.services.quotas.set_for_user(session.actor, user_name(user), values)
    else:
        name = session.app_name(app, named)
        found = session.services.quotas.set_for_app(session.actor, name, values)
    _print(found)


@click.command("quota:report")
@click.option("--user", metavar="NAME", help=_USER_HELP)
@list_options
def report(
    session: Session, name: str | None, app: str | None, user: str | None, as_json: bool
) -> None:
    """Show the quotas and usage of an app or a user; without APP, your own.

    Example: paas quota:report -a shop
    """
    quotas = session.services.quotas
    if user is None and (name or app or session.default_app):
        found = quotas.of_app(session.actor, session.app_name(app, name))
    elif user is None and session.actor.user is None:
        raise usage_error(
            "which-app",
            "Neither an app nor a user was given.",
            "Name one: paas quota:report -a shop; or: paas quota:report --user NAME",
        )
    else:
        wanted = user_name(user) if user is not None else session.actor.name
        found = quotas.of_user(session.actor, user_name(wanted))
    if as_json:
        print_json(
            [
                {
                    "quota": one.quota,
                    "used": one.used,
                    "limit": None if one.limit == UNLIMITED else one.limit,
                    "origin": one.origin,
                }
                for one in found
            ]
        )
        return
    _print(found)


def _print(found: Sequence[QuotaUse]) -> None:
    rows = [
        (
            one.quota,
            "-" if one.used is None else quota_words(one.quota, one.used),
            limit_words(one.quota, one.limit),
            _ORIGINS[one.origin],
        )
        for one in found
    ]
    print_table(("Quota", "Used", "Limit", "From"), rows)
