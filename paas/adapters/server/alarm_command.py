"""Runs the operator's alarm command; implements `AlarmCommand`.

It is a program with its arguments, not a line for a shell, and it runs as an account that owns
nothing of the platform's, without capabilities and with no way to get any.
"""

import json
import pwd
from datetime import datetime
from pathlib import Path

from paas.adapters.system import subprocesses
from paas.adapters.system.files import read_json, write_atomic
from paas.domain.server.alarms import Told
from paas.domain.values.errors import PaasError
from paas.settings import Settings

LIMIT_S = 30.0


class SetAlarmCommand:
    """That of server.yml: ``alarm_command``, run as ``alarm_user``, for limit_s at most."""

    def __init__(self, settings: Settings, limit_s: float = LIMIT_S) -> None:
        self._settings = settings
        self._limit_s = limit_s

    def is_set(self) -> bool:
        """See `AlarmCommand`."""
        return bool(self._settings.alarm_command)

    def run(self, text: str) -> None:
        """See `AlarmCommand`; ends in time, or is killed with all that it has started."""
        account = self._account()
        subprocesses.run(
            [
                *("/usr/bin/setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}"),
                *("--init-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"),
                *("--", *self._settings.alarm_command),
            ],
            description="The alarm_command of server.yml",
            timeout_s=self._limit_s,
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "LC_ALL": "C.UTF-8",
                "HOME": account.pw_dir,
                "PAAS_SERVER": self._settings.domain,
            },
            cwd=Path("/"),
            stdin=text.encode(),
        )

    def told(self) -> Told:
        """See `AlarmCommand`."""
        plain = read_json(self._settings.paths.alarms) or {}
        keys, at = plain.get("keys"), plain.get("at")
        try:
            return Told(
                frozenset(map(str, keys)) if isinstance(keys, list) else frozenset(),
                datetime.fromisoformat(str(at)) if at is not None else None,
            )
        except ValueError:
            return Told()

    def note(self, told: Told) -> None:
        """See `AlarmCommand`."""
        at = told.at.isoformat() if told.at is not None else None
        plain = {"keys": sorted(told.keys), "at": at}
        write_atomic(self._settings.paths.alarms, json.dumps(plain))

    def _account(self) -> pwd.struct_passwd:
        name = self._settings.alarm_user
        hint = "Set alarm_user in server.yml to an account without rights."
        try:
            account = pwd.getpwnam(name)
        except KeyError as error:
            raise PaasError(
                "alarm-command",
                f"The alarm command cannot run: there is no account {name!r}.",
                hint,
            ) from error
        if account.pw_uid == 0:
            raise PaasError("alarm-command", "The alarm command does not run as root.", hint)
        return account
