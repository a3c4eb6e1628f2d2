"""Tasks, each of which is one start of an instance, and what an app's log says of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

# Swarm's own words. One that ends since its service is removed, or is moved, is `shutdown`.
RUNNING = "running"
_STARTS = frozenset({"starting", RUNNING})
_ENDED = frozenset({"complete", "failed", "rejected"})


@dataclass(frozen=True, slots=True)
class Task:
    """One of a service. state: in Swarm's words. made_at: as Swarm writes it, which sorts.

    is_wanted: whether it is to run.
    """

    id: str
    state: str
    made_at: str
    is_wanted: bool = True

    @property
    def runs(self) -> bool:
        """Whether it does, as far as Swarm knows, and is to."""
        return self.state == RUNNING and self.is_wanted


@dataclass(frozen=True, slots=True)
class News:
    """What has happened. ended: whether the task has ended; else it starts in another's place."""

    task: Task
    ended: bool

    @property
    def key(self) -> str:
        """Unique for what has happened; begins with the task's id and a space."""
        return f"{self.task.id} {'ended' if self.ended else 'started'}"


def news_of(tasks: Sequence[Task], told: Collection[str]) -> Iterator[News]:
    """What has happened to one service, in order. told: the keys of what is left out.

    An end that was asked for does not count.
    """
    has_ended = False
    for task in sorted(tasks, key=lambda task: task.made_at):
        found = None
        if task.state in _ENDED:
            has_ended, found = True, News(task, ended=True)
        elif has_ended and task.state in _STARTS and task.is_wanted:
            found = News(task, ended=False)
        if found is not None and found.key not in told:
            yield found
