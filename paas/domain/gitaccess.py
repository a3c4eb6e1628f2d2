"""What the gate lets a client execute for git: one service, on one repository, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

RECEIVE_PACK = "git-receive-pack"
SERVICES = frozenset({RECEIVE_PACK, "git-upload-pack", "git-upload-archive"})

# Flaws of old commits that git's own history tools made and that do no harm
# (git-config(1), receive.fsck.<msg-id>): pushes of old projects would fail for them.
_TOLERATED = (
    "badTimezone",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedFilemode",
    "zeroPaddedDate",
)


@dataclass(frozen=True, slots=True)
class ExecPlan:
    """A program that the client becomes, once it holds the lock.

    env: its whole environment. lock: path of a lock file that exists, or None.
    holder: who then holds the lock, as others are told (``alice``).
    """

    argv: tuple[str, ...]
    env: Mapping[str, str]
    lock: str | None
    holder: str


def receive_pack(
    repository: str,
    *,
    hooks: str,
    max_push_mib: int,
    lock: str,
    user: str,
    identity: Mapping[str, str],
) -> ExecPlan:
    """Take a push: with the platform's hooks, object checks and size limit.

    identity: what the hook must know (PAAS_ETC, PAAS_USER, PAAS_APP, PAAS_APP_ID).
    The settings travel in the environment, so that nothing in the repository's own configuration
    needs to be trusted. Automatic maintenance is off: a background process would keep the lock.
    """
    config = {
        "core.hooksPath": hooks,
        "receive.fsckObjects": "true",
        "receive.maxInputSize": f"{max_push_mib}m",
        "receive.advertisePushOptions": "true",
        "receive.autogc": "false",
        "receive.shallowUpdate": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
    }
    config |= {f"receive.fsck.{flaw}": "ignore" for flaw in _TOLERATED}
    env = {**_environment(config), **identity}
    return ExecPlan(("git", "receive-pack", repository), env, lock, user)


def upload(service: str, repository: str, *, user: str, protocol: str | None) -> ExecPlan:
    """Give a clone, fetch or archive. protocol: the client's GIT_PROTOCOL (git(1))."""
    env = _environment({"core.hooksPath": "/dev/null", "gc.auto": "0"})
    if protocol:
        env["GIT_PROTOCOL"] = protocol
    return ExecPlan(("git", service.removeprefix("git-"), repository), env, None, user)


def _environment(config: Mapping[str, str]) -> dict[str, str]:
    """An environment for git in which only this configuration and the repository's count."""
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": str(len(config)),
    }
    for number, (key, value) in enumerate(config.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env
