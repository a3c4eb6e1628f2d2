"""certs, certs:add, certs:info, certs:remove; and the monitor's renewals"""

import sys
from datetime import datetime

import click

from paas.adapters.network.idn import to_unicode
from paas.domain.certificates.certificates import PEM_MAX_BYTES
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.access import require_server
from paas.services.certificates.certificates import CertificateInfo


@click.command("certs")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's certificates: their names, issuers and expiry dates.

    Example: paas certs -a shop
    """
    name = session.app_name(app, name)
    found = session.services.certificates.listing(session.actor, name)
    if as_json:
        print_json([_plain(item) for item in found])
        return
    if not found and session.services.acme.renewals.is_auto(
        session.services.apps.find(session.actor, name, to=Permission.VIEW).id
    ):
        session.terminal.detail("No certificates yet; each name's state: paas certs:auto")
    elif not found:
        session.terminal.detail("No certificates, so it answers over plain HTTP. To change that:")
        session.terminal.detail("paas certs:auto on, or: paas certs:add CRT KEY")
    rows = [
        (
            item.certificate.id,
            ", ".join(map(to_unicode, item.certificate.facts.names[:5])),
            item.certificate.origin,
            f"{item.certificate.facts.not_after:%Y-%m-%d}",
            item.left,
            "shown" if item.hosts else "not shown",
        )
        for item in found
    ]
    print_table(
        ("Id", "Names", "Kind", "Expires", "Left", "Use"),
        rows,
        optional=("Kind", "Left"),
        flexible="Names",
    )


@click.command("certs:add")
@click.argument("words", nargs=-1, metavar="[APP] CRT KEY")
@app_option
@pass_session
def add(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Serve an app over HTTPS with a certificate of your own.

    CRT has the certificate followed by its issuers' certificates, KEY the private key without a
    passphrase, both in PEM. The files are read on your computer. Over plain ssh, send both on
    standard input.

    Example: paas certs:add shop.crt shop.key -a shop
    """
    if len(words) > 1:
        raise usage_error(
            "certificate-stdin",
            "The server cannot read your files: send certificate and key on standard input.",
            "cat shop.crt shop.key | ssh paas@SERVER certs:add shop",
        )
    name = session.app_name(app, words[0] if words else None)
    if sys.stdin.isatty():
        raise usage_error(
            "arguments", "There is nothing to read.", "paas certs:add shop.crt shop.key"
        )
    pem = sys.stdin.buffer.read(2 * PEM_MAX_BYTES + 2)
    made = session.services.certificates.add(session.actor, name, pem, session.terminal)
    names = ", ".join(map(to_unicode, made.facts.names[:10]))
    session.terminal.step(f"Certificate {made.id} for {names}")
    session.terminal.detail(f"Valid until {_time(made.facts.not_after)}")


@click.command("certs:info")
@click.argument("words", nargs=-1, metavar="[APP] [ID|DOMAIN]")
@app_option
@json_option
@pass_session
def info(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Show the details of an app's certificates.

    Example: paas certs:info -a shop
    """
    name, word = _app_and_word(session, words, app)
    found = session.services.certificates.find(session.actor, name, word)
    if as_json:
        print_json([_plain(item) for item in found])
        return
    for item in found:
        facts = item.certificate.facts
        print_line(f"=== {item.certificate.id}")
        print_table(
            ("", ""),
            [
                ("Names:", ", ".join(map(to_unicode, facts.names))),
                ("Shown for:", ", ".join(map(to_unicode, item.hosts)) or "none of the app's names"),
                ("Kind:", _kind(item)),
                ("Issuer:", facts.issuer),
                ("Chain:", " <- ".join(facts.chain)),
                ("Key:", facts.key),
                ("Valid from:", _time(facts.not_before)),
                ("Expires:", f"{_time(facts.not_after)}, {item.left}"),
                ("Serial:", facts.serial),
                ("SHA-256:", facts.fingerprint),
            ],
        )


@click.command("certs:remove")
@click.argument("words", nargs=-1, metavar="[APP] [ID|DOMAIN]")
@app_option
@pass_session
def remove(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Remove a certificate that you added, and its key.

    With certs:auto on, it is removed once automatic certificates have taken its place.

    Example: paas certs:remove -a shop
    """
    name, word = _app_and_word(session, words, app)
    for gone in session.services.acme.remove(session.actor, name, word, session.terminal):
        session.terminal.step(f"Removed {gone.id} ({', '.join(gone.facts.names[:10])})")


def renew_due(session: Session) -> None:
    """Request and renew the certificates of all apps that are due; called by the monitor."""
    require_server(session.actor)
    session.services.web_certificates.tend()
    session.services.wildcards.tend()
    session.services.acme.renew_due()


def _plain(item: CertificateInfo) -> dict[str, object]:
    facts = item.certificate.facts
    return {
        "id": item.certificate.id,
        "kind": str(item.certificate.origin),
        "names": list(facts.names),
        "shown_for": list(item.hosts),
        "issuer": facts.issuer,
        "chain": list(facts.chain),
        "key": facts.key,
        "self_signed": facts.self_signed,
        "not_before": facts.not_before.isoformat(),
        "expires_at": facts.not_after.isoformat(),
        "expires_soon": item.worrying,
        "serial": facts.serial,
        "sha256": facts.fingerprint,
        "added_at": item.certificate.added_at.isoformat(),
    }


def _kind(item: CertificateInfo) -> str:
    if item.certificate.origin == "own":
        return "your own (certs:add)"
    return f"automatic, renewed {item.certificate.renew_at:%Y-%m-%d} (certs:auto)"


def _app_and_word(
    session: Session, words: tuple[str, ...], app: str | None
) -> tuple[str, str | None]:
    """The app and the certificate of ``[APP] [ID|DOMAIN]``: an id begins with a digit."""
    if len(words) > 2:
        raise usage_error("arguments", "At most one certificate can be named.", "paas certs")
    if len(words) == 2:
        return session.app_name(app, words[0]), words[1]
    is_word = bool(words) and (words[0][:1].isdigit() or "." in words[0])
    if is_word or not words:
        return session.app_name(app), words[0] if words else None
    return session.app_name(app, words[0]), None


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
