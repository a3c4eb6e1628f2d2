"""domains, domains:add, domains:verify, domains:remove, domains:redirect, domains:set-global ..."""

from collections.abc import Sequence

import click

from paas.adapters.network.idn import both_ways, to_host_name, to_unicode
from paas.domain.certificates.certificates import AppCertificate
from paas.domain.people.permissions import Permission
from paas.domain.routing.hosts import WILDCARD, HostName
from paas.domain.routing.proofs import Pending
from paas.domain.routing.sites import Redirect
from paas.domain.values.errors import EXIT_FAILED, usage_error
from paas.entrypoints.cli.paths import path_addresses, path_kind, plain_path, shown_path
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table
from paas.entrypoints.cli.terminal import print_json
from paas.services.access import require_server
from paas.services.routing.domains import DomainInfo
from paas.services.routing.paths import PathAddress

CODES = ("301", "302", "307", "308")
trust_option = click.option("--trust", is_flag=True, help="Add it without proof; for admins.")
strip_option = click.option(
    "--strip", "form", flag_value="strip", help="The app does not see a path (the default)."
)
keep_option = click.option("--keep", "form", flag_value="keep", help="The app sees a path.")


@click.command("domains")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's host names, whether DNS points them here, and their certificates.

    Example: paas domains -a shop
    """
    name = session.app_name(app, name)
    found = session.services.domains.listing(session.actor, name)
    certificates = session.services.certificates.listing(session.actor, name)
    shown = {host: item.certificate for item in certificates for host in item.hosts}
    paths = session.services.paths.listing(session.actor, name)
    if as_json:
        plain = [{**_plain(info), **_proof(session, name, info)} for info in found]
        print_json(
            [{**one, "certificate": _secured(shown.get(str(one["domain"])))} for one in plain]
            + [plain_path(info) for info in paths]
        )
        return
    rows = [
        (both_ways(info.host), _kind(info), _dns(info), _until(shown.get(info.host)))
        for info in found
    ]
    rows += [(shown_path(info.route), path_kind(name, info), "", "") for info in paths]
    print_table(("Domain", "Kind", "DNS", "HTTPS"), rows, optional=("Kind",), flexible="DNS")
    _tell_pending(session, name, [info.pending for info in found if info.pending])


@click.command("domains:add")
@click.argument("words", nargs=-1, required=True, metavar="[APP] DOMAIN...")
@trust_option
@strip_option
@keep_option
@app_option
@pass_session
def add(
    session: Session, words: tuple[str, ...], app: str | None, trust: bool, form: str | None
) -> None:
    """Add host names to an app; *.shop.example.com stands for any name below it.

    A domain is pending until its DNS points to this server or has the TXT record that is shown.
    shop.example.com/api is a path of a domain that an app has already: this app then answers it.

    Example: paas domains:add shop shop.example.com www.example.com
    """
    name, given = _app_and_words(session, words, app)
    if paths := path_addresses(given):
        if trust:
            raise usage_error("arguments", "A path needs no proof: leave out --trust.")
        strips = form != "keep"
        session.services.paths.add(session.actor, name, paths, session.terminal, strip=strips)
        session.terminal.step(f"{name} answers to {_joined(paths)}")
        return
    if form is not None:
        raise usage_error(
            "arguments",
            "--strip and --keep are for paths, such as shop.example.com/api.",
        )
    hosts = [to_host_name(word) for word in given]
    domains = session.services.domains
    pending = domains.add(session.actor, name, hosts, session.terminal, trust=trust)
    waiting = {one.host for one in pending}
    added = [host for host in hosts if host not in waiting]
    if added:
        session.terminal.step(f"{name} answers to {_joined(added)}")
        infos = {i.host: i for i in domains.listing(session.actor, name)}
        for host in added:
            if not infos[host].here:
                session.terminal.detail(f"DNS of {to_unicode(host)}: {_dns(infos[host])}")
    _tell_pending(session, name, pending)


@click.command("domains:verify")
@click.argument("words", nargs=-1, metavar="[APP] [DOMAIN...]")
@app_option
@pass_session
def verify(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Check now whether pending domains are proven. The server also checks automatically.

    Exits with 1 if a domain is still pending.

    Example: paas domains:verify shop shop.example.com
    """
    named = app is None and bool(words) and "." not in words[0]
    name = session.app_name(app, words[0] if named else None)
    hosts = [to_host_name(word) for word in (words[1:] if named else words)]
    done, left = session.services.domains.verify(session.actor, name, hosts, session.terminal)
    for one in done:
        session.terminal.step(_proven(name, one))
    if not done and not left:
        session.terminal.step(f"{name} has no pending domains")
    _tell_pending(session, name, left)
    session.status = EXIT_FAILED if left else 0


def check_due(session: Session) -> None:
    """Check the pending domains that are due, of all apps; called by the monitor process."""
    require_server(session.actor)
    session.services.domains.claims.check_due(session.terminal)


@click.command("domains:remove")
@click.argument("words", nargs=-1, required=True, metavar="[APP] DOMAIN...")
@app_option
@pass_session
def remove(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Remove host names, redirects or paths from an app.

    Example: paas domains:remove shop www.example.com
    """
    name, given = _app_and_words(session, words, app)
    if paths := path_addresses(given):
        session.services.paths.remove(session.actor, name, paths, session.terminal)
        session.terminal.step(f"Removed {_joined(paths)}")
        return
    hosts = [to_host_name(word) for word in given]
    session.services.domains.remove(session.actor, name, hosts, session.terminal)
    session.terminal.step(f"{name} no longer answers to {_joined(hosts)}")


@click.command("domains:clear")
@app_argument
@app_option
@pass_session
def clear(session: Session, name: str | None, app: str | None) -> None:
    """Remove all domains and redirects from an app; its default host name stays.

    Example: paas domains:clear shop
    """
    name = session.app_name(app, name)
    session.services.domains.clear(session.actor, name, session.terminal)
    addresses = session.services.addresses
    found = session.services.apps.find(session.actor, name, to=Permission.VIEW)
    session.terminal.step(f"{name} now answers only to {addresses.host(found.name)}")


@click.command("domains:redirect")
@click.argument("words", nargs=-1, required=True, metavar="[APP] FROM TO [301|302|307|308]")
@trust_option
@app_option
@pass_session
def redirect(session: Session, words: tuple[str, ...], app: str | None, trust: bool) -> None:
    """Redirect all requests for one host name to another, keeping path and query.

    301 (the default) and 302 may turn a POST into a GET; 308 and 307 do not. 301 and 308 are
    permanent. FROM needs the same proof as a domain.

    Example: paas domains:redirect shop www.example.com example.com 308
    """
    name, made = _redirect(session, words, app)
    domains = session.services.domains
    pending = domains.redirect(session.actor, name, made, session.terminal, trust=trust)
    if not pending:
        session.terminal.step(_redirects(made))
    _tell_pending(session, name, pending)


@click.command("domains:set-global")
@click.argument("domain")
@pass_session
def set_global(session: Session, domain: str) -> None:
    """Change the server's domain: every app then answers at APP.DOMAIN.

    A DNS record for *.DOMAIN has to point to the server. Names below the former domain stop
    working. For admins.

    Example: paas domains:set-global apps.example.com
    """
    host = to_host_name(domain)
    domains = session.services.domains
    domains.set_global(session.actor, host, session.terminal)
    session.terminal.step(f"Apps answer at APP.{both_ways(host)}")
    anything = f"{WILDCARD}{host}"
    if not domains.addresses_of(anything):
        session.terminal.detail(f"DNS has no address for {to_unicode(anything)} yet.")


def _app_and_words(
    session: Session, words: tuple[str, ...], app: str | None
) -> tuple[str, Sequence[str]]:
    """The app and the domains of ``[APP] DOMAIN...``: an app's name has no dot."""
    named = app is None and "." not in words[0]
    domains = words[1:] if named else words
    if not domains:
        raise usage_error("arguments", "No domain was named.", "For example: shop.example.com")
    return session.app_name(app, words[0] if named else None), domains


def _redirect(session: Session, words: tuple[str, ...], app: str | None) -> tuple[str, Redirect]:
    code = words[-1] if words[-1].isdigit() else None
    if code is not None and code not in CODES:
        raise usage_error("arguments", f"{code} is not one of {', '.join(CODES)}.")
    name, given = _app_and_words(session, words[:-1] if code else words, app)
    hosts = [to_host_name(word) for word in given]
    if len(hosts) != 2:
        raise usage_error(
            "arguments",
            "domains:redirect takes two host names, FROM and TO.",
            "For example: paas domains:redirect shop www.example.com example.com",
        )
    return name, Redirect(hosts[0], hosts[1], int(code or 301))


def _tell_pending(session: Session, name: str, pending: Sequence[Pending]) -> None:
    """Say what each waits for, and what to set in DNS."""
    for one in pending:
        record = session.services.domains.record(session.actor, name, one.host)
        session.terminal.step(f"{to_unicode(one.host)} is pending: {one.why}")
        if record.own is None:
            session.terminal.detail("Set this DNS record:")
        else:
            session.terminal.detail(
                f"Point its DNS to this server (CNAME to {record.own}), or set this record:"
            )
        session.terminal.detail(f'{record.name} TXT "{record.value}"')
    if pending:
        session.terminal.detail(
            f"The server checks it soon; to check now: paas domains:verify {name}"
        )


def _proven(name: str, one: Pending) -> str:
    return _redirects(one.redirect) if one.redirect else f"{name} answers to {both_ways(one.host)}"


def _redirects(redirect: Redirect) -> str:
    return f"{to_unicode(redirect.host)} redirects to {to_unicode(redirect.to)} ({redirect.code})"


def _proof(session: Session, name: str, info: DomainInfo) -> dict[str, object]:
    if info.pending is None:
        return {"proof": info.proof or None, "pending": None}
    record = session.services.domains.record(session.actor, name, info.host)
    pending = {
        "reason": info.pending.why,
        "since": info.pending.since.isoformat(),
        "next_check_at": info.pending.again.isoformat(),
        "record": {"name": record.name, "type": "TXT", "value": record.value},
    }
    return {"proof": None, "pending": pending}


def _plain(info: DomainInfo) -> dict[str, object]:
    return {
        "domain": info.host,
        "kind": info.kind,
        "redirect": {"to": info.redirect.to, "code": info.redirect.code} if info.redirect else None,
        "addresses": list(info.addresses),
        "points_here": info.here,
    }


def _secured(certificate: AppCertificate | None) -> dict[str, str] | None:
    if certificate is None:
        return None
    return {"id": certificate.id, "expires_at": certificate.facts.not_after.isoformat()}


def _until(certificate: AppCertificate | None) -> str:
    if certificate is None:
        return "no certificate"
    return f"{certificate.id}, until {certificate.facts.not_after:%Y-%m-%d}"


def _kind(info: DomainInfo) -> str:
    pending = ", pending" if info.pending else ""
    if info.redirect is None:
        return info.kind + pending
    return f"redirect to {to_unicode(info.redirect.to)} ({info.redirect.code}){pending}"


def _dns(info: DomainInfo) -> str:
    if info.here:
        return "points here"
    if info.addresses:
        return f"points to {', '.join(info.addresses)}, which is not this server"
    return "has no address yet"


def _joined(domains: Sequence[HostName | PathAddress]) -> str:
    return ", ".join(
        both_ways(one) if isinstance(one, str) else f"{to_unicode(one.host)}{one.path}"
        for one in domains
    )
