"""domains, domains:add, domains:remove"""

from datetime import datetime

from paas.adapters.network.idn import to_host_name
from paas.domain.certificates.acme import Renewal
from paas.domain.certificates.certificates import shown_for
from paas.domain.people.permissions import Permission
from paas.entrypoints.operations.call import Call
from paas.services.routing.claims import no_such_domain
from paas.services.routing.domains import DomainInfo


def listing(call: Call, *, app: str) -> dict[str, object]:
    """The app and its host names, its own first."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    rows = call.services.domains.listing(call.actor, app)
    own = call.services.addresses.host(found.name)
    store = call.services.store
    held = [*store.certificates.of_app(found.id), *store.shared_certificates.all()]
    on, renewals = call.services.acme.status(call.actor, app)
    by_host = {one.host: one for one in renewals} if on else {}
    now = call.services.acme.clock.now()
    domains = []
    for row in rows:
        shown = shown_for(held, row.host) if row.pending is None else None
        domains.append(
            {
                **_plain(row, own),
                "certificate": shown.id if shown is not None else None,
                "automatic": _automatic(by_host.get(row.host), now) if on else None,
            }
        )
    return {
        "app": {"id": found.id, "name": found.name, "created_at": found.created_at.isoformat()},
        "domains": domains,
    }


def add(call: Call, *, app: str, host: str) -> dict[str, object]:
    """Add a host name; what proves it, while it is pending, is a warning."""
    name = to_host_name(host)
    pending = call.services.domains.add(call.actor, app, [name], call.progress, trust=False)
    for one in pending:
        record = call.services.domains.record(call.actor, app, one.host)
        call.progress.warn(
            f"{one.host} is pending: {one.why}. Point its DNS to this server, or set this record: "
            f'{record.name} TXT "{record.value}"'
        )
    return _one(call, app, name)


def remove(call: Call, *, app: str, host: str) -> dict[str, object]:
    """Remove a host name; returns it as it was."""
    name = to_host_name(host)
    call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    found = _one(call, app, name)
    call.services.domains.remove(call.actor, app, [name], call.progress)
    return found


def _one(call: Call, app: str, host: str) -> dict[str, object]:
    """One name of an app. Raises PaasError if the app does not have it."""
    found = listing(call, app=app)
    rows = found["domains"]
    assert isinstance(rows, list)
    for row in rows:
        if row["host"] == host:
            return {"app": found["app"], "domain": row}
    raise no_such_domain(call.services.apps.find(call.actor, app, to=Permission.VIEW), host)


def _plain(info: DomainInfo, own: str) -> dict[str, object]:
    return {
        "host": info.host,
        "kind": info.kind,
        "target": own,
        "pending": info.pending is not None,
        "why": info.pending.why if info.pending is not None else None,
        "addresses": list(info.addresses),
        "points_here": info.here,
        "redirect": info.redirect.to if info.redirect is not None else None,
    }


def _automatic(renewal: Renewal | None, now: datetime) -> dict[str, object]:
    """How far a name is on its way to an automatic certificate. A pending name has no renewal."""
    if renewal is None:
        return {"state": "waiting", "why": "", "failures": 0, "at": None}
    present, attempt = renewal.present, renewal.attempt
    if renewal.unable:
        return {"state": "unable", "why": renewal.unable, "failures": 0, "at": None}
    if present is not None and present.renew_at > now:
        at = present.added_at.isoformat()
        return {"state": "issued", "why": "", "failures": 0, "at": at}
    if attempt is not None:
        at, why = attempt.at.isoformat(), attempt.reason
        return {"state": "failing", "why": why, "failures": attempt.count, "at": at}
    return {"state": "waiting", "why": "", "failures": 0, "at": None}
