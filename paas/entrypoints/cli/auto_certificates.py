"""certs:auto: automatic certificates, for an app or for all."""

from datetime import datetime

import click

from paas.adapters.network.idn import to_unicode
from paas.domain.certificates.acme import Renewal
from paas.domain.values.errors import EXIT_FAILED, usage_error
from paas.domain.values.names import shown
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line

SWITCH = ("on", "off")


@click.command("certs:auto")
@click.argument("words", nargs=-1, metavar="[APP] [on|off]")
@click.option("--server", is_flag=True, help="Every app, present and future (admins).")
@app_option
@json_option
@pass_session
def auto(
    session: Session, words: tuple[str, ...], server: bool, app: str | None, as_json: bool
) -> None:
    """Get and renew certificates for all of an app's domains; without on or off, show their state.

    From Let's Encrypt, unless the server's operator chose another issuer. With --server, each app
    gets them with its first deploy, unless it has switched them off.

    Example: paas certs:auto on -a shop
    """
    switch = words[-1] if words and words[-1] in SWITCH else None
    rest = words[:-1] if switch else words
    if len(rest) > 1:
        raise usage_error("arguments", f"{shown(words[-1])} is not on or off.")
    if server:
        if rest or app is not None:
            raise usage_error("which-app", "Both an app and --server are given.", "Name only one.")
        session.no_app()
        _auto_everywhere(session, switch, as_json)
        return
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


def _auto_everywhere(session: Session, switch: str | None, as_json: bool) -> None:
    https = session.services.https
    if switch == "on":
        refusing = https.switch_on(session.actor)
        session.terminal.step("Every app gets its certificates automatically from now on")
        session.terminal.detail(
            "The server requests those that are missing within seconds; "
            "to see how it goes: paas certs:auto -a APP"
        )
        if refusing:
            names = ", ".join(app.name for app in refusing)
            session.terminal.detail(f"Except those that have them off (certs:auto off): {names}")
    elif switch == "off":
        kept = https.switch_off(session.actor)
        session.terminal.step("New apps no longer get certificates automatically")
        if kept:
            names = ", ".join(app.name for app in kept)
            session.terminal.detail(f"Still renewed for those that have them on: {names}")
    if switch is None or as_json:
        _show_everywhere(session, None if switch is None else switch == "on", as_json)


def _show_everywhere(session: Session, changed: bool | None, as_json: bool) -> None:
    """changed: what it was changed to by this command."""
    https = session.services.https
    apps = https.status(session.actor, on=changed)
    on = https.renewals.by_default if changed is None else changed
    if as_json:
        rows = [{"app": app.name, "auto": has} for app, has in apps]
        print_json({"auto": on, "apps": rows})
        return
    print_line("on" if on else "off")
    print_table(("App", "Automatic"), [(app.name, "on" if has else "off") for app, has in apps])


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
    if renewal.asking and renewal.attempt is not None:
        seconds = max(0, round((now - renewal.attempt.at).total_seconds()))
        return f"{has}; requested {seconds} s ago, no answer yet"
    if renewal.attempt is not None and (renewal.present is None or renewal.present.renew_at <= now):
        reason = " ".join(renewal.attempt.reason.split())
        return f"{has}; failed: {reason} The next attempt is at {_time(renewal.attempt.again)}"
    return f"{has}, renewed {renewal.present.renew_at:%Y-%m-%d}" if renewal.present else "waiting"


def _plain_renewal(renewal: Renewal) -> dict[str, object]:
    present, attempt = renewal.present, renewal.attempt
    if renewal.asking:
        attempt = None
    return {
        "domain": renewal.host,
        "not_asked": renewal.unable or None,
        "certificate": present.id if present else None,
        "expires_at": present.facts.not_after.isoformat() if present else None,
        "renew_at": present.renew_at.isoformat() if present else None,
        "failure": attempt.reason if attempt else None,
        "failures": attempt.count if attempt else 0,
        "next_try_at": attempt.again.isoformat() if attempt else None,
        "asked_at": renewal.attempt.at.isoformat() if renewal.asking and renewal.attempt else None,
    }


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
