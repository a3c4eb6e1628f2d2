"""What of BuildKit's cache stays: what the last builds of each app used last."""

from datetime import UTC, datetime, timedelta

from paas.domain.builds.cache_records import CacheRecord, Span, unused
from paas.domain.releases.releases import Build, Status
from tests.fakes.world import World

BEGIN = datetime(2026, 11, 29, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A time of the story."""
    return BEGIN + timedelta(seconds=seconds)


def record(name: str, made: float, used: float | None = None) -> CacheRecord:
    """One that was made and used then."""
    return CacheRecord(name, at(made), None if used is None else at(used), 10)


def test_what_a_kept_build_used_last_stays() -> None:
    """From its beginning to a little after its end; what was never used counts as made."""
    spans = [Span(at(100), at(110)), Span(at(300), None)]
    records = [
        record("before", 99, 99.9),
        record("first", 50, 100),
        record("last", 50, 111),
        record("after", 105, 200),
        record("never used", 105),
        record("of one that runs", 50, 400),
    ]
    assert {one.id for one in unused(records, spans)} == {"before", "after"}


def test_children_go_before_their_parents() -> None:
    """BuildKit keeps a parent for as long as its child."""
    records = [record("parent", 1), record("child", 3), record("between", 2)]
    assert [one.id for one in unused(records, [])] == ["child", "between", "parent"]


def test_the_last_builds_of_each_app(world: World) -> None:
    """Newest first, of every app; one that runs has no end."""
    for app_id, name in ((1, "shop"), (2, "blog")):
        world.app(name)
        for number in range(3):
            end = None if number == 2 else at(number * 10 + 5)
            world.store.builds.add(
                Build(
                    f"{app_id}-{number}", app_id, "c" * 40, "root", Status.SUCCEEDED,
                    at(number * 10 + app_id), end, None,
                )
            )  # fmt: skip
    assert set(world.store.builds.spans(2)) == {
        Span(at(11), at(15)),
        Span(at(21), None),
        Span(at(12), at(15)),
        Span(at(22), None),
    }
    assert set(world.store.builds.spans(1, without=1)) == {Span(at(22), None)}
