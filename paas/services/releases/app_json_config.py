"""Config vars that an app's app.json declares."""

from collections.abc import Callable
from types import MappingProxyType

from paas.domain.manifest.appjson import AppJson
from paas.domain.releases.releases import ConfigVars
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.interfaces import Progress


def declared_config(
    manifest: AppJson,
    former: AppJson,
    present: ConfigVars,
    make_secret: Callable[[], str],
    progress: Progress,
    *,
    attached: ConfigVars = MappingProxyType({}),
) -> ConfigVars:
    """The config plus what the app declares and does not have yet.

    former: the app.json of the current release. An optional var that it already declared and that
    is not set was unset on purpose. attached: what it has of datastores, which is set, but never
    part of a release. Raises PaasError, naming the vars that are required and have no
    value.
    """
    known = {var.name for var in former.env}
    config, added, missing = dict(present), [], []
    for var in manifest.env:
        if var.name in config or var.name in attached or (var.name in known and not var.required):
            continue
        if var.value is not None:
            config[var.name] = Secret(var.value)
        elif var.generated:
            config[var.name] = Secret(make_secret())
        else:
            missing += [var.name] if var.required else []
            continue
        added.append(var.name)
    if missing:
        settings = " ".join(f"{name}=..." for name in missing)
        raise PaasError(
            "env-required",
            f"app.json requires config vars that are not set: {', '.join(missing)}.",
            f"Set them, then push again: paas config:set {settings}",
        )
    if added:
        progress.step(f"Setting config vars that app.json declares: {', '.join(added)}")
    return config
