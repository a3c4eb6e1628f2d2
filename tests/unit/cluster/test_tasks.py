"""What an app's log says of the tasks of an instance."""

from paas.domain.cluster.tasks import Task, news_of


def told(tasks: list[Task], *before: str) -> list[str]:
    """The keys of what is new."""
    return [one.key for one in news_of(tasks, before)]


def test_a_start_and_an_end_that_were_asked_for_are_no_news() -> None:
    """Nor is a task that is waited for."""
    tasks = [Task("a", "shutdown", "1", is_wanted=False), Task("b", "running", "2")]
    assert told(tasks) == []
    assert told([Task("a", "pending", "1")]) == []


def test_each_end_and_each_start_after_it_is_news_once() -> None:
    """In order, whatever the order in which Swarm lists them."""
    first, second = Task("a", "failed", "1", is_wanted=False), Task("b", "preparing", "2")
    assert told([second, first]) == ["a ended"]
    assert told([second, first], "a ended") == []
    second = Task("b", "starting", "2")
    assert told([second, first], "a ended") == ["b started"]
    second = Task("b", "running", "2")
    assert told([second, first], "a ended", "b started") == []
    third = Task("c", "running", "3")
    tasks = [third, Task("b", "complete", "2", is_wanted=False), first]
    assert told(tasks, "a ended", "b started") == ["b ended", "c started"]


def test_what_could_not_be_started_has_ended() -> None:
    """It is reported as an end."""
    assert told([Task("a", "rejected", "1", is_wanted=False)]) == ["a ended"]


def test_what_was_not_seen_is_told_later() -> None:
    """As after a restart, as far as Swarm still knows it."""
    tasks = [Task("b", "failed", "2", is_wanted=False), Task("c", "running", "3")]
    assert told(tasks, "a ended") == ["b ended", "c started"]


def test_a_lost_task_has_not_ended() -> None:
    """Nobody knows whether it has; the loss of its node is reported."""
    tasks = [Task("a", "running", "1", is_wanted=False), Task("b", "pending", "2")]
    assert told(tasks) == []
    assert told([Task("a", "orphaned", "1", is_wanted=False)]) == []
