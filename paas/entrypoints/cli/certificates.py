"""certs, certs:add, certs:info, certs:remove, certs:auto; and the monitor's renewals"""

import sys
from datetime import datetime

import click

from paas.adapters.network.idn import to_unicode
from paas.domain.certificates.acme import Renewal
from paas.domain.certificates.certificates import PEM_MAX_BYTES
from paas.domain.values.errors import EXIT_FAILED, usage_error
from paas.domain.values.names import shown
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

SWITCH = ("on", "off")


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
    if not found:
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


@click.command("certs:auto")
@click.argument("words", nargs=-1, metavar="[APP] [on|off]")
@app_option
@json_option
@pass_session
def auto(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Get and renew certificates for all of an app's domains; without on or off, show their state.

    From Let's Encrypt, unless the server's operator chose another issuer.

    Example: paas certs:auto on -a shop
    """
    switch = words[-1] if words and words[-1] in SWITCH else None
    rest = words[:-1] if switch else words
    if len(rest) > 1:
        raise usage_error("arguments", f"{shown(words[-1])} is not on or off.")
    name = session.app_name(app, rest[0] if rest else None)
    acme = session.services.acme
    if switch == "on":
        session.status = 0 if acme.switch_on(session.actor, name, session.terminal) else EXIT_FAILED
    elif switch == "off":
        for gone in acme.switch_off(session.actor, name, session.terminal):
            session.terminal.detail(f"Removed {gone.id} ({', '.join(gone.facts.names)})")
        session.terminal.step(f"{name} no longer gets certificates automatically")
    if switch is None or as_json:
        _show_auto(session, name, as_json)


def renew_due(session: Session) -> None:
    """Request and renew the certificates of all apps that are due; called by the monitor."""
    require_server(session.actor)
    session.services.web_certificates.tend()
    session.services.acme.renew_due()


def _show_auto(session: Session, name: str, as_json: bool) -> None:
    on, renewals = session.services.acme.status(session.actor, name)
    now = session.services.acme.clock.now()
    if as_json:
        print_json({"auto": on, "names": [_plain_renewal(renewal) for renewal in renewals]})
        return
    print_line("on" if on else "off")
    print_table(
        ("Domain", "State"), [(to_unicode(w.host), _state(w, on=on, now=now)) for w in renewals]
    )


def _state(renewal: Renewal, *, on: bool, now: datetime) -> str:
    if renewal.unable:
        return f"none is requested: {renewal.unable}"
    has = (
        f"until {renewal.present.facts.not_after:%Y-%m-%d}" if renewal.present else "no certificate"
    )
    if not on:
        return has
    if renewal.attempt is not None and (renewal.present is None or renewal.present.renew_at <= now):
        reason = " ".join(renewal.attempt.reason.split())
        return f"{has}; failed: {reason} The next attempt is at {_time(renewal.attempt.again)}"
    return f"{has}, renewed {renewal.present.renew_at:%Y-%m-%d}" if renewal.present else "waiting"


def _plain_renewal(renewal: Renewal) -> dict[str, object]:
    present, attempt = renewal.present, renewal.attempt
    return {
        "domain": renewal.host,
        "not_asked": renewal.unable or None,
        "certificate": present.id if present else None,
        "expires_at": present.facts.not_after.isoformat() if present else None,
        "renew_at": present.renew_at.isoformat() if present else None,
        "failure": attempt.reason if attempt else None,
        "failures": attempt.count if attempt else 0,
        "next_try_at": attempt.again.isoformat() if attempt else None,
    }


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
