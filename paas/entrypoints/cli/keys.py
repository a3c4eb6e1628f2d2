"""keys, keys:add, keys:remove"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from paas.domain.people.expiry import parse_choice
from paas.domain.people.keys import KeyReport
from paas.domain.people.users import Role
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import user_name
from paas.domain.values.plain_text import EncodingError, plain_text
from paas.entrypoints.cli.credentials import expiry_cell, use_cells, use_data
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.tables import print_table, wide_option
from paas.entrypoints.cli.terminal import print_json, print_line

KEY_MAX_BYTES = 16_384


@click.command("keys")
@wide_option
@json_option
@pass_session
def listing(session: Session, as_json: bool) -> None:
    """List SSH keys: your own; as an admin, everyone's.

    Example: paas keys
    """
    reports = session.services.keys.reports(session.actor)
    if as_json:
        print_json([_data(report) for report in reports])
        return
    if not reports:
        session.terminal.detail("No keys. Add one: paas keys:add alice --admin < alice.pub")
    now = datetime.now(UTC)
    print_table(
        ("User", "Fingerprint", "Comment", "Last used", "From", "Expires"),
        [_row(report, now) for report in reports],
        optional=("Comment", "From"),
        flexible="Fingerprint",
    )


@click.command("keys:add")
@click.argument("user")
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--admin", "role", flag_value="admin", help="Make the user an admin.")
@click.option(
    "--member", "role", flag_value="member", help="Make the user a member, with apps of their own."
)
@click.option(
    "--expires", metavar="WHEN", help="Until when it is valid: 12h, 90d, 4w, a date, or never."
)
@pass_session
def add(
    session: Session, user: str, file: str | None, role: str | None, expires: str | None
) -> None:
    """Add a user's public SSH key, from FILE or from standard input.

    --expires also changes the expiry of a key that the user already has.

    Example: sudo paas keys:add alice < alice.pub
    """
    if file is not None and session.actor.user is not None:
        raise usage_error(
            "key-file",
            "keys:add cannot read a file on the server; send the key on standard input.",
            "paas keys:add alice < FILE",
        )
    if file is None and os.isatty(0):
        session.terminal.detail("Paste the public key, then press Ctrl-D.")
    until = None if expires is None else parse_choice(expires, datetime.now(UTC))
    text = _read(file)
    key = session.services.keys.add(
        session.actor,
        user_name(user),
        text,
        Role(role) if role else None,
        expires=until,
        origin=session.origin,
    )
    limit = f" until {key.expires:%Y-%m-%d %H:%M} UTC" if key.expires else ""
    session.terminal.step(f"{key.user} may log in with this key{limit}:")
    print_line(key.fingerprint)


@click.command("keys:remove")
@click.argument("fingerprint")
@pass_session
def remove(session: Session, fingerprint: str) -> None:
    """Remove a key, by its fingerprint.

    Example: paas keys:remove SHA256:Qm9i...
    """
    key = session.services.keys.remove(session.actor, fingerprint)
    session.terminal.step(f"Removed {key.fingerprint} of {key.user}")


def _data(report: KeyReport) -> dict[str, object]:
    """For programs. Times in ISO 8601."""
    key = report.key
    return {
        "user": key.user,
        "fingerprint": key.fingerprint,
        "type": key.kind,
        "comment": key.comment,
        "added": key.added.isoformat() if key.added else None,
        "expires": key.expires.isoformat() if key.expires else None,
        **use_data(report.last),
    }


def _row(report: KeyReport, now: datetime) -> tuple[str, ...]:
    key = report.key
    return (
        key.user,
        key.fingerprint,
        key.comment,
        *use_cells(report.last),
        expiry_cell(key.expires, now),
    )


def _read(file: str | None) -> str:
    try:
        if file is None or file == "-":
            raw = sys.stdin.buffer.read(KEY_MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as source:
                raw = source.read(KEY_MAX_BYTES + 1)
    except OSError as error:
        raise PaasError("key-file", f"{file} could not be read: {error.strerror}.") from error
    if len(raw) > KEY_MAX_BYTES:
        raise usage_error("key", f"A public key has fewer than {KEY_MAX_BYTES} bytes.")
    try:
        return plain_text(raw)
    except EncodingError:
        return raw.decode("utf-8", "replace")  # a comment, perhaps: the key itself is ASCII
