"""The file that the proxy logs an app's requests to; access_log.py reads it."""

import os
from pathlib import Path

from paas.adapters.proxy.account import proxy_account
from paas.adapters.system.files import make_directory
from paas.domain.values.errors import PaasError
from paas.settings import Settings


def router_log(settings: Settings, app_id: int) -> Path:
    """Where nginx logs an app's requests."""
    return settings.paths.logs / str(app_id) / "router.log"


def make_log(settings: Settings, app_id: int) -> None:
    """The log and its directory, which nginx's workers must be able to enter to reopen the log."""
    path = router_log(settings, app_id)
    group = proxy_account(settings).pw_gid
    make_directory(path.parent, mode=0o710, owner=(0, group))
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    except OSError as error:
        raise PaasError("router-log", f"{path} cannot be created: {error.strerror}.") from error
