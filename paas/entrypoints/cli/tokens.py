"""tokens, tokens:create, tokens:revoke"""

from datetime import UTC, datetime

import click

from paas.domain.people.access import app_role
from paas.domain.people.expiry import parse_choice
from paas.domain.people.permissions import AppRole
from paas.domain.people.tokens import Token, TokenReport, token_note, token_prefix
from paas.entrypoints.cli.credentials import expiry_cell, use_cells, use_data
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import print_table, wide_option
from paas.entrypoints.cli.terminal import print_json, print_line


@click.command("tokens")
@wide_option
@json_option
@pass_session
def listing(session: Session, as_json: bool) -> None:
    """List tokens: your own; as an admin, everyone's.

    Example: paas tokens
    """
    reports = session.services.tokens.reports(session.actor)
    if as_json:
        print_json([_data(report) for report in reports])
        return
    if not reports:
        session.terminal.detail("No tokens. Create one: paas tokens:create --app shop")
    now = datetime.now(UTC)
    print_table(
        ("Prefix", "User", "Note", "App", "Role", "Expires", "Last used", "From"),
        [_row(report, now) for report in reports],
        optional=("From", "User", "Last used", "Role"),
        flexible="Note",
    )


@click.command("tokens:create")
@app_option
@click.option("--role", metavar="|".join(AppRole), help="The highest role that it allows.")
@click.option("--expires", metavar="WHEN", help="12h, 90d, 4w, a date, or never. Default: 90d.")
@click.option("--note", metavar="TEXT", default="", help="What it is for.")
@pass_session
def create(
    session: Session, app: str | None, role: str | None, expires: str | None, note: str
) -> None:
    """Create a token that lets commands run as you. It is printed only once.

    --app and --role limit what it can do; without them, it can do all that you can.

    Example: paas tokens:create --app shop --role deployer --note GitHub
    """
    name = None
    if app is not None or session.default_app is not None:
        name = session.app_name(app)
    else:
        session.no_app()
    secret, token = session.services.tokens.create(
        session.actor,
        session.origin,
        app=name,
        role=app_role(role) if role is not None else None,
        expires=None if expires is None else parse_choice(expires, datetime.now(UTC)),
        note=token_note(note),
    )
    until = f"until {token.expires:%Y-%m-%d %H:%M} UTC" if token.expires else "for ever"
    session.terminal.step(f"Created the token {token.prefix}, valid {until}")
    for line in _limits(token, is_admin=session.actor.is_admin):
        session.terminal.detail(line)
    session.terminal.detail("It is not shown again. To use it, set PAAS_TOKEN to it.")
    print_line(secret.reveal())


@click.command("tokens:revoke")
@click.argument("prefix")
@pass_session
def revoke(session: Session, prefix: str) -> None:
    """Revoke a token, by the 8 characters after paas_. It is refused from the next command on.

    Example: paas tokens:revoke Ab12Cd34
    """
    token = session.services.tokens.revoke(session.actor, token_prefix(prefix))
    note = f" ({token.note})" if token.note else ""
    session.terminal.step(f"Revoked the token {token.prefix} of {token.user}{note}")


def _limits(token: Token, *, is_admin: bool) -> list[str]:
    """What a new token allows."""
    if token.scope is None:
        admin = ", as an admin of the server" if is_admin else ""
        return [f"Anyone who has it may do all that you may{admin}. To limit it: --app, --role"]
    return [
        f"It is for {token.app if token.app is not None else 'all your apps'}"
        f"{f', as a {token.role} at most' if token.role is not None else ''}."
    ]


def _data(report: TokenReport) -> dict[str, object]:
    """For programs. Times in ISO 8601."""
    token = report.token
    return {
        "prefix": token.prefix,
        "user": token.user,
        "note": token.note,
        "app": token.app,
        "role": token.role,
        "created": token.created.isoformat(),
        "expires": token.expires.isoformat() if token.expires else None,
        **use_data(report.last),
    }


def _row(report: TokenReport, now: datetime) -> tuple[str, ...]:
    token = report.token
    return (
        token.prefix,
        token.user,
        token.note,
        token.app or "(all)",
        token.role or "(all)",
        expiry_cell(token.expires, now),
        *use_cells(report.last),
    )
