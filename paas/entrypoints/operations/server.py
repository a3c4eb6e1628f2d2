"""server:status, disk, doctor: how the server is, for admins."""

from dataclasses import asdict

from paas import __version__
from paas.adapters.server import daemons
from paas.domain.server.findings import Finding
from paas.entrypoints.operations.call import Call
from paas.services.access import require_admin


def status(call: Call) -> dict[str, object]:
    """Processes, datastores, certificates that end, and what does not work, without a long look."""
    require_admin(call.actor, "see the server's status")
    services = call.services
    silent = services.doctor.diagnosis.datastores.upkeep.silent()
    overview = services.datastore_overview.look(silent)
    return {
        "version": __version__,
        "domain": services.settings.domain,
        "processes": [
            {"name": row.name, "state": row.state} for row in daemons.processes(services.settings)
        ],
        "apps": len(services.store.apps.all()),
        "instances": len(services.store.instances.all()),
        "datastores": {
            "kinds": overview.kinds,
            "not_running": list(overview.not_running),
            "not_answering": list(overview.not_answering),
            "without_backup": list(overview.without_backup),
        },
        "certificates": services.acme.warnings(),
        "unserved": [app.name for app in services.sites.unserved()],
        "findings": [_plain(finding) for finding in services.doctor.warnings(silent)],
    }


def disk(call: Call) -> dict[str, object]:
    """The disk that each app takes; admins also learn what is free."""
    found = call.services.disk.report(call.actor, None)
    server = found.server
    return {
        "apps": [
            {"name": one.app.name, "owner": one.app.owner, "bytes": one.usage.total}
            for one in found.apps
        ],
        "free_bytes": server.free_bytes if server is not None else None,
        "size_bytes": server.size_bytes if server is not None else None,
        "trash_bytes": server.trash_bytes if server is not None else None,
    }


def doctor(call: Call) -> list[dict[str, object]]:
    """A long look at everything; nothing is changed."""
    require_admin(call.actor, "examine and repair the server")
    return [_plain(finding) for finding in call.services.doctor.look()]


def _plain(finding: Finding) -> dict[str, object]:
    return asdict(finding)
