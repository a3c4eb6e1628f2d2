"""certs:dns: how this server proves names by DNS, which wildcards need."""

import sys

import click

from paas.domain.certificates.dns import CREDENTIALS_MAX_BYTES, HOOK, PROVIDERS
from paas.domain.values.errors import EXIT_FAILED, usage_error
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.certificates.wildcard import WildcardState

OFF = "off"


@click.command("certs:dns")
@click.argument("words", nargs=-1, metavar="[PROVIDER | hook AUTH [CLEANUP] | off]")
@click.option("--stdin", "reads", is_flag=True, help="Read credentials for the hook, too.")
@json_option
@pass_session
def dns(session: Session, words: tuple[str, ...], reads: bool, as_json: bool) -> None:
    """Prove wildcards by DNS, with one certificate for the names of all apps; for admins.

    The provider's credentials are read from standard input. Without a provider, show the state.

    Example: paas certs:dns cloudflare < cloudflare.ini
    """
    wildcards = session.services.wildcards
    if len(words) > 1 and words[0] != HOOK:
        raise usage_error("arguments", "Only a hook has more words than its name.")
    if words == (OFF,):
        kept = wildcards.switch_off(session.actor)
        session.terminal.step("Names are no longer proven by DNS; the credentials are deleted")
        if kept is not None:
            session.terminal.detail(
                f"The certificate for {', '.join(kept.facts.names)} is used until it expires, on "
                f"{kept.facts.not_after:%Y-%m-%d}. Apps with certs:auto on get their own now."
            )
    elif words:
        text = _credentials(session, words[0]) if reads or words[0] != HOOK else ""
        well = wildcards.set(session.actor, words[0], words[1:], text, session.terminal)
        session.status = 0 if well else EXIT_FAILED
    if as_json:
        print_json(_plain(wildcards.state(session.actor)))
    elif not words:
        _show(wildcards.state(session.actor))


def _credentials(session: Session, provider: str) -> str:
    if sys.stdin.isatty() and provider in PROVIDERS:
        session.terminal.detail(f"Expected for {PROVIDERS[provider].title}, then Ctrl-D:")
        for line in PROVIDERS[provider].example.splitlines():
            session.terminal.detail(line)
    data = sys.stdin.buffer.read(CREDENTIALS_MAX_BYTES + 1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise usage_error("dns-credentials", "The credentials are not text.") from error


def _show(state: WildcardState) -> None:
    if state.challenge is None:
        print_line("off")
    else:
        print_line(f"by {state.challenge.words}, since {state.challenge.set_at:%Y-%m-%d}")
    if state.certificate is not None:
        ends = f"{state.certificate.facts.not_after:%Y-%m-%d}"
        renewed = f", renewed {state.certificate.renew_at:%Y-%m-%d}" if state.challenge else ""
        print_line(f"{state.host}: until {ends}{renewed}")
    elif state.challenge is not None and state.host:
        print_line(f"{state.host}: no certificate")
    if state.attempt is not None and not state.attempt.has_no_result:
        again = f"{state.attempt.again:%Y-%m-%d %H:%M} UTC"
        print_line(f"Failed: {state.attempt.reason} The next attempt is at {again}.")


def _plain(state: WildcardState) -> dict[str, object]:
    challenge, present, attempt = state.challenge, state.certificate, state.attempt
    return {
        "provider": challenge.provider if challenge else None,
        "hook": list(challenge.hook) if challenge else [],
        "set_at": challenge.set_at.isoformat() if challenge else None,
        "domain": state.host or None,
        "certificate": present.id if present else None,
        "expires_at": present.facts.not_after.isoformat() if present else None,
        "renew_at": present.renew_at.isoformat() if present and challenge else None,
        "failure": attempt.reason if attempt else None,
        "next_try_at": attempt.again.isoformat() if attempt else None,
    }
