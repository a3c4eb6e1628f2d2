"""What the gate lets a client execute for git: one service, on one repository, nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RECEIVE_PACK = "git-receive-pack"
LFS_TRANSFER = "git-lfs-transfer"
SERVICES = frozenset({RECEIVE_PACK, "git-upload-pack", "git-upload-archive"})

# Flaws of old commits that git's own history tools made and that do no harm
# (git-config(1), receive.fsck.<msg-id>): pushes of old projects would fail for them.
TOLERATED_FLAWS = (
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
    holder: who then holds the lock, as shown to others (``alice``).
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
    """Receive a push: with the platform's hooks, object checks and size limit.

    identity: what the hook must know (PAAS_ETC, PAAS_USER, PAAS_APP, PAAS_APP_ID, and the
    push's origin, PAAS_FROM, PAAS_KEY or PAAS_CA, and PAAS_TOKEN).
    The settings travel in the environment, so that nothing in the repository's own configuration
    needs to be trusted. Automatic maintenance is off: a background process would keep the lock.
    By default git leaves small pushes and refs to the page cache: a power cut in the next seconds
    undoes them, or leaves empty files behind.
    """
    config = {
        "core.fsync": "committed,loose-object,reference",
        "core.fsyncMethod": "batch",
        "core.hooksPath": hooks,
        "receive.fsckObjects": "true",
        "receive.maxInputSize": f"{max_push_mib}m",
        "receive.advertisePushOptions": "true",
        "receive.autogc": "false",
        # What may be pushed is judged by the hook alone: git refuses after it, when the new
        # version is live.
        "receive.denyCurrentBranch": "ignore",
        "receive.denyDeleteCurrent": "ignore",
        "receive.denyDeletes": "false",
        "receive.denyNonFastForwards": "false",
        "receive.hideRefs": "!refs/",
        "receive.shallowUpdate": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
    }
    config |= {f"receive.fsck.{flaw}": "ignore" for flaw in TOLERATED_FLAWS}
    # For the explanation of a refusal: gate_client/observer.py.
    env = {**_environment(config), **identity, "PAAS_MAX_PUSH_MIB": str(max_push_mib)}
    return ExecPlan(("git", "receive-pack", repository), env, lock, user)


def upload(service: str, repository: str, *, user: str, protocol: str | None) -> ExecPlan:
    """Give a clone, fetch or archive. protocol: the client's GIT_PROTOCOL (git(1))."""
    env = _environment({"core.hooksPath": "/dev/null", "gc.auto": "0"})
    if protocol:
        env["GIT_PROTOCOL"] = protocol
    return ExecPlan(("git", service.removeprefix("git-"), repository), env, None, user)


def lfs_transfer(
    program: Sequence[str], repository: str, operation: str, *, max_lfs_mib: int, min_free_mib: int
) -> ExecPlan:
    """Receive or send Git LFS objects. program: that of entrypoints/lfs_transfer.py."""
    limits = (str(max_lfs_mib * 1024**2), str(min_free_mib * 1024**2))
    argv = (*program, f"{repository}/lfs", operation, *limits)
    return ExecPlan(argv, _environment({}), None, "")


def index_pack(
    repository: str, quarantine: str, *, max_push_mib: int
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Read a pack from standard input into a quarantine, with the checks of a push.

    argv and the environment. Objects that it refers to must be in it or in the repository.
    """
    flaws = ",".join(f"{flaw}=ignore" for flaw in TOLERATED_FLAWS)
    limit = f"--max-input-size={max_push_mib * 1024**2}"
    words = ("index-pack", "--stdin", "--fix-thin", f"--strict={flaws}", limit)
    return in_quarantine(repository, quarantine, words)


def in_quarantine(
    repository: str, objects: str, words: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """A command of git that sees the objects of a push before they are the repository's: argv and
    the environment. objects: where they are."""
    env = {
        **_environment({"core.hooksPath": "/dev/null"}),
        "GIT_OBJECT_DIRECTORY": objects,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{repository}/objects",
    }
    return ("git", f"--git-dir={repository}", *words), env


def update_ref(repository: str, ref: str, commit: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Let a ref point to a commit: argv and the environment."""
    argv = ("git", f"--git-dir={repository}", "update-ref", ref, commit)
    return argv, _environment({"core.hooksPath": "/dev/null"})


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
