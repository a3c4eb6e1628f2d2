"""config, config:get, config:export, config:set, config:unset"""

from collections.abc import Mapping, Sequence

from paas.domain.apps.apps import App
from paas.domain.datastores.datastores import with_attached
from paas.domain.people.permissions import Permission
from paas.domain.releases.releases import ConfigVars, Status
from paas.domain.values.names import var_name, var_value
from paas.entrypoints.operations.call import Call
from paas.entrypoints.operations.progress import Impatient
from paas.services.releases.diffs import no_such_release


def names(call: Call, *, app: str) -> list[str]:
    """The names of the config vars of an app."""
    return [str(name) for name in call.services.config.names(call.actor, app)]


def get(call: Call, *, app: str, name: str) -> str:
    """The value of one."""
    return call.services.config.get(call.actor, app, var_name(name)).reveal()


def export(call: Call, *, app: str, version: int | None) -> dict[str, str]:
    """The config vars of an app, or those of one of its releases.

    While a release is being rolled out, those of an app are that release's: the response to the
    change had them, and a client that reads them back at once, as Terraform does, expects the same.
    """
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    releases = call.services.store.releases
    if version is None:
        latest = releases.latest(found.id)
        if latest is not None and latest.status is Status.PENDING:
            return _plain(_with_attached(call, found, latest.config))
        return _plain(call.services.config.all(call.actor, app))
    release = releases.find(found.id, version)
    if release is None:
        raise no_such_release(found, version)
    return _plain(release.config)


def set_vars(
    call: Call, *, app: str, values: Mapping[str, str], unset: Sequence[str]
) -> dict[str, str]:
    """Set config vars and remove others, in one release."""
    named = {var_name(name): value for name, value in values.items()}
    checked = {name: var_value(name, value) for name, value in named.items()}
    gone = [var_name(name) for name in unset]
    config = call.services.config
    config.set(call.actor, app, checked, _accepting(call, app), unset=gone)
    return _plain(config.all(call.actor, app))


def unset_vars(call: Call, *, app: str, names: Sequence[str]) -> dict[str, str]:
    """Remove config vars, in one release."""
    gone = [var_name(name) for name in names]
    config = call.services.config
    config.unset(call.actor, app, gone, _accepting(call, app))
    return _plain(config.all(call.actor, app))


def _accepting(call: Call, app: str) -> Impatient:
    """Answered with the config of the new release."""
    found = call.services.apps.find(call.actor, app, to=Permission.CONFIGURE)
    return call.accepting(lambda release, _: _plain(_with_attached(call, found, release.config)))


def _with_attached(call: Call, app: App, config: ConfigVars) -> ConfigVars:
    return with_attached(config, call.services.store.datastores.attached_vars(app.id))


def _plain(config: ConfigVars) -> dict[str, str]:
    return {name: config[name].reveal() for name in sorted(config)}
