"""Apps, their locks and their formation."""

from dataclasses import dataclass, field
from datetime import datetime

from paas.domain.apps.storage import Storage
from paas.domain.cluster.scheduling import Scheduling
from paas.domain.people.access import Grant, Holder
from paas.domain.people.permissions import AppRole
from paas.domain.releases.artifacts import NATIVE
from paas.domain.runtime.resources import SetLimit
from paas.domain.values.names import AppName, BranchName, ProcessType

DEFAULT_DEPLOY_BRANCHES = ("main", "master")


@dataclass(frozen=True, slots=True)
class App:
    """A name, a git repository, a config and a formation.

    uid: the app's own uid and gid on this machine.
    current: the version of the release that is live, or None before the first.
    rollout_id: the roll-out whose instances are live, or None. engine: the name of what runs its
    current release, NATIVE, DOCKER or SWARM. limits: the resource limits that were set.
    user_namespaces: whether its processes may create user namespaces. read_only: whether its
    containers may write only to /app, /tmp and storage directories. scheduling: on which machines
    its containers run. grants: who has access, by role, the highest first, then by time.
    preview_of: the id of the app that it is a preview of; who has access to that one has it here.
    """

    id: int
    name: AppName
    uid: int
    deploy_branch: BranchName | None
    current: int | None
    rollout_id: int | None
    created_at: datetime
    storage: tuple[Storage, ...] = ()
    engine: str = NATIVE
    limits: tuple[SetLimit, ...] = ()
    user_namespaces: bool = False
    read_only: bool = False
    scheduling: Scheduling = field(default_factory=Scheduling)
    grants: tuple[Grant, ...] = ()
    preview_of: int | None = None

    @property
    def owner(self) -> Holder | None:
        """The owner whose quotas it counts for: the first of them; None if it has none."""
        first = self.grants[0] if self.grants else None
        return first.holder if first is not None and first.role is AppRole.OWNER else None

    @property
    def owners(self) -> tuple[Holder, ...]:
        """All owners, the first first."""
        return tuple(grant.holder for grant in self.grants if grant.role is AppRole.OWNER)

    def deploys(self, ref: str) -> bool:
        """Whether a push to this ref (``refs/heads/main``) is a deploy."""
        return ref in {f"refs/heads/{branch}" for branch in self.deploy_branches}

    @property
    def deploy_branches(self) -> tuple[str, ...]:
        """The names of the branches whose pushes are deploys."""
        return (self.deploy_branch,) if self.deploy_branch else DEFAULT_DEPLOY_BRANCHES


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
