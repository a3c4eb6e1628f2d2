"""Apps, users and keys, and who may do what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paas.domain.apps.permissions import Permission
from paas.domain.apps.storage import Storage
from paas.domain.runtime.resources import SetLimit
from paas.domain.values.names import AppName, BranchName, ProcessType, UserName

DEFAULT_DEPLOY_BRANCHES = ("main", "master")
# The engine of every app: buildpacks, and processes of this machine.
NATIVE = "native"


class Role(StrEnum):
    """What a user may do: a member has their own apps, an admin everything."""

    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """A person, known by the keys that they hold."""

    name: UserName
    role: Role


@dataclass(frozen=True, slots=True)
class Key:
    """An SSH public key. fingerprint: ``SHA256:...`` as ssh-keygen -l prints it."""

    fingerprint: str
    user: UserName
    kind: str
    body: str
    comment: str


@dataclass(frozen=True, slots=True)
class App:
    """A name, a git repository, a config and a formation.

    uid: the app's own uid and gid on this machine.
    current: the version of the release that is live, or None before the first.
    rollout_id: the roll-out whose instances are live, or None. engine: the name of what builds and
    runs it. limits: the resource limits that were set. user_namespaces: whether its processes may
    create user namespaces.
    """

    id: int
    name: AppName
    uid: int
    owner: UserName | None
    deploy_branch: BranchName | None
    current: int | None
    rollout_id: int | None
    created_at: datetime
    storage: tuple[Storage, ...] = ()
    engine: str = NATIVE
    limits: tuple[SetLimit, ...] = ()
    user_namespaces: bool = False

    def deploys(self, ref: str) -> bool:
        """Whether a push to this ref (``refs/heads/main``) is a deploy."""
        return ref in {f"refs/heads/{branch}" for branch in self.deploy_branches}

    @property
    def deploy_branches(self) -> tuple[str, ...]:
        """The names of the branches whose pushes are deploys."""
        return (self.deploy_branch,) if self.deploy_branch else DEFAULT_DEPLOY_BRANCHES


@dataclass(frozen=True, slots=True)
class Actor:
    """The actor of a request: a user over SSH, or the operator (root on the server itself)."""

    user: User | None

    @property
    def name(self) -> str:
        """The name that releases and builds record."""
        return self.user.name if self.user else "root"

    @property
    def is_admin(self) -> bool:
        """Whether this actor may do everything."""
        return self.user is None or self.user.role is Role.ADMIN

    def may(self, to: Permission, app: App) -> bool:  # noqa: ARG002 - an owner may do everything
        """Whether this actor may do that with the app."""
        return self.is_admin or (self.user is not None and app.owner == self.user.name)


@dataclass(frozen=True, slots=True)
class AppLock:
    """Who locked an app against deploys, and why. reason: may be empty."""

    user: str
    reason: str
    at: datetime

    @property
    def words(self) -> str:
        """``by alice since 2026-11-20 10:20 UTC (migration)``."""
        why = f" ({self.reason})" if self.reason else ""
        return f"by {self.user} since {self.at:%Y-%m-%d %H:%M} UTC{why}"


Formation = dict[ProcessType, int]


def default_quantity(kind: ProcessType) -> int:
    """How many instances a new process type gets: Heroku's rule, one web and none of the rest."""
    return 1 if kind == "web" else 0
