"""certs, certs:add, certs:remove, certs:auto"""

from paas.domain.apps.apps import App
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import EXIT_FAILED
from paas.entrypoints.operations import apps
from paas.entrypoints.operations.call import Call
from paas.services.certificates.certificates import CertificateInfo


def listing(call: Call, *, app: str) -> dict[str, object]:
    """The app and its certificates, in the order in which they came."""
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    rows = call.services.certificates.listing(call.actor, app)
    return {"app": _app(found), "certificates": [_plain(call, row) for row in rows]}


def add(call: Call, *, app: str, pem: str, replaces: str | None) -> dict[str, object]:
    """Use a certificate with its chain and key. replaces: the id of one that has to be there."""
    certificates = call.services.certificates
    if replaces is not None:
        call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
        certificates.find(call.actor, app, replaces)
    made = certificates.add(call.actor, app, pem.encode(), call.progress)
    return _one(call, app, made.id)


def remove(call: Call, *, app: str, certificate: str) -> dict[str, object]:
    """Stop using a certificate that a user added; returns it as it was."""
    call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    found = _one(call, app, certificate)
    call.services.acme.remove(call.actor, app, certificate, call.progress)
    return found


def auto(call: Call, *, app: str, on: bool) -> dict[str, object]:
    """Get certificates automatically from now on, or no longer; returns the app.

    The answer does not wait for the issuer: what it refuses is in the app's log and its domains.
    """
    acme = call.services.acme
    if not on:
        acme.switch_off(call.actor, app, call.progress)
        return apps.info(call, app=app)
    well = acme.switch_on(
        call.actor, app, call.progress, begun=lambda: call.answer(apps.info(call, app=app))
    )
    call.status = 0 if well else EXIT_FAILED
    return {}


def _one(call: Call, app: str, id: str) -> dict[str, object]:
    found = call.services.apps.find(call.actor, app, to=Permission.VIEW)
    row = next(
        row
        for row in call.services.certificates.find(call.actor, app, id)
        if row.certificate.id == id
    )
    return {"app": _app(found), "certificate": _plain(call, row)}


def _app(app: App) -> dict[str, object]:
    return {"id": app.id, "name": app.name}


def _plain(call: Call, info: CertificateInfo) -> dict[str, object]:
    certificate = info.certificate
    facts = certificate.facts
    return {
        "id": certificate.id,
        "kind": str(certificate.origin),
        "names": list(facts.names),
        "shown_for": list(info.hosts),
        "issuer": facts.issuer,
        "subject": facts.chain[0] if facts.chain else "",
        "self_signed": facts.self_signed,
        "chain": call.services.certificates.files.chain(certificate.id),
        "not_before": facts.not_before.isoformat(),
        "expires_at": facts.not_after.isoformat(),
        "added_at": certificate.added_at.isoformat(),
    }
