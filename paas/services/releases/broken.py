"""Process types that already crash: a change that might mend them is not refused for them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from paas.domain.releases.releases import Instance, InstanceState, State
from paas.domain.values.errors import PaasError
from paas.interfaces import Progress, Runtime


class Excuses(Protocol):
    """Which new instances may fail without the roll-out failing. failed: the ids that have."""

    @property
    def failed(self) -> set[str]: ...

    def excused(self, instance: Instance, progress: Progress) -> AbstractContextManager[None]:
        """Runs a block whose PaasError is a failure of the instance."""


class NoExcuses:
    """Every new instance must come up."""

    def __init__(self) -> None:
        self.failed: set[str] = set()

    @contextmanager
    def excused(self, instance: Instance, progress: Progress) -> Iterator[None]:  # noqa: ARG002 - of the Protocol
        """See `Excuses`: it fails the roll-out."""
        yield


@dataclass(slots=True)
class BrokenBefore:
    """Excuses those of a type of which no instance runs, before the change and during it.

    live: what is to be replaced. before: their states when the change began.
    """

    runtime: Runtime
    live: Sequence[Instance]
    before: Mapping[str, InstanceState]
    failed: set[str] = field(default_factory=set)

    @contextmanager
    def excused(self, instance: Instance, progress: Progress) -> Iterator[None]:
        """See `Excuses`."""
        try:
            yield
        except PaasError as error:
            if not self._crashed(instance):
                raise
            self.failed.add(instance.id)
            progress.warn(error.message)
            progress.warn(
                f"That does not stop this change, since {instance.kind} crashed before it, too. "
                f"See: paas logs -p {instance.kind}"
            )

    def _crashed(self, new: Instance) -> bool:
        """Whether all of its type have crashed: the supervisor waits before it tries again.

        One that is in the middle of a try now was waiting before, or has ended once more since.
        """
        same = [one for one in self.live if one.kind == new.kind]
        now = self.runtime.states(same)
        return bool(same) and all(_is_broken(self.before[one.id], now[one.id]) for one in same)


def excuses_of(runtime: Runtime, live: Sequence[Instance]) -> Excuses:
    """As these run now; without any, nothing is excused."""
    return BrokenBefore(runtime, live, runtime.states(live)) if live else NoExcuses()


def _is_broken(before: InstanceState, now: InstanceState) -> bool:
    return State.CRASHED in {before.state, now.state} or now.exits > before.exits > 0
