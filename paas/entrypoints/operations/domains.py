"""domains, domains:add, domains:remove"""

from paas.adapters.network.idn import to_host_name
from paas.domain.people.permissions import Permission
from paas.entrypoints.operations.call import Call
from paas.services.routing.claims import no_such_domain
from paas.services.routing.domains import DomainInfo


def listing(call: Call, *, app: str) -> dict[str, object]:
    """The app and its host names, its own first."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    rows = call.services.domains.listing(call.actor, app)
    own = call.services.addresses.host(found.name)
    return {
        "app": {"id": found.id, "name": found.name, "created_at": found.created_at.isoformat()},
        "domains": [_plain(row, own) for row in rows],
    }


def add(call: Call, *, app: str, host: str) -> dict[str, object]:
    """Add a host name; what proves it, while it is pending, is a warning."""
    name = to_host_name(host)
    pending = call.services.domains.add(call.actor, app, [name], call.progress, trust=False)
    for one in pending:
        record = call.services.domains.record(call.actor, app, one.host)
        call.progress.warn(
            f"{one.host} is pending: {one.why} Point its DNS to this server, or set this record: "
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
    }
