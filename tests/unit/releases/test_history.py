"""What can be brought back, and which slugs are kept for it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from paas.domain.releases.history import (
    check_rollback,
    is_version,
    parse_version,
    prunable,
    retry_target,
    rollback_default,
)
from paas.domain.releases.releases import Release, Slug, Status
from paas.domain.values.errors import PaasError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STATUS = {"s": Status.SUCCEEDED, "f": Status.FAILED, "p": Status.PENDING}


def history(*words: str) -> list[Release]:
    """Releases, newest first, of words such as ``a:s``: the slug (or -) and how it ended."""
    found = []
    for version, word in enumerate(words, start=1):
        slug, _, status = word.partition(":")
        slug_id = None if slug == "-" else slug
        found.append(Release(1, version, slug_id, {}, STATUS[status], "", "root", NOW))
    return found[::-1]


def slugs(names: str, size_bytes: int = 10) -> list[Slug]:
    """Slugs of these names, newest first as the store lists them."""
    return [Slug(name, 1, name * 40, {}, size_bytes, NOW) for name in reversed(names)]


def pruned(
    releases: list[Release], current: int, *, keep: int = 100, max_bytes: int = 0
) -> set[str]:
    """The names of the slugs that go, where all are there."""
    names = "".join(sorted({r.slug_id for r in releases if r.slug_id}))
    gone = prunable(slugs(names), releases, current, keep=keep, max_bytes=max_bytes)
    return {slug.id for slug in gone}


@pytest.mark.parametrize("text", ["v1", "1", "v999999999"])
def test_versions(text: str) -> None:
    """With or without the letter, as on Heroku."""
    assert is_version(text)
    assert parse_version(text) == int(text.removeprefix("v"))


@pytest.mark.parametrize("text", ["", "v", "v0", "v1.0", "-1", "v1\n", "V1", "1" * 10, "v\u0661"])
def test_words_that_are_no_versions(text: str) -> None:
    """Refused, as wrong usage."""
    assert not is_version(text)
    with pytest.raises(PaasError) as caught:
        parse_version(text)
    assert caught.value.exit_code == 2


def test_rollback_goes_to_the_last_one_that_was_live() -> None:
    """Failed releases in between are passed over."""
    assert rollback_default(history("a:s", "a:s", "b:f", "c:s"), 4).version == 2


@pytest.mark.parametrize(
    ("words", "current"), [(["a:s"], 1), (["a:f", "b:s"], 2), (["-:s", "a:s"], 2), ([], None)]
)
def test_nothing_to_roll_back_to(words: list[str], current: int | None) -> None:
    """No earlier release, only failed ones, or one without code."""
    with pytest.raises(PaasError) as caught:
        rollback_default(history(*words), current)
    assert caught.value.reference == "nothing-to-roll-back-to"


@pytest.mark.parametrize(
    ("version", "reference"),
    [
        (1, "rollback-no-code"),
        (2, "rollback-failed"),
        (3, "rollback-failed"),
        (5, "rollback-current"),
    ],
)
def test_rollbacks_are_refused_with_a_reason(version: int, reference: str) -> None:
    """The one without code, the failed, the unfinished and the current one."""
    releases = {r.version: r for r in history("-:s", "a:f", "a:p", "b:s", "c:s")}
    with pytest.raises(PaasError) as caught:
        check_rollback(releases[version], 5)
    assert caught.value.reference == reference
    assert check_rollback(releases[4], 5) == "b"


def test_retry_takes_the_latest_failure_since_the_current_release() -> None:
    """A failure that something else has overcome is past."""
    found = retry_target(history("a:s", "b:f", "c:f"), 1)
    assert found is not None
    assert found.version == 3
    assert retry_target(history("a:f", "b:s"), 2) is None
    assert retry_target(history("a:f"), None) is not None


def test_the_newest_are_kept_by_number() -> None:
    """Those beyond the number go."""
    assert pruned(history("a:s", "b:s", "c:s", "d:s"), 4, keep=3) == {"a"}


def test_the_newest_are_those_that_were_live_last() -> None:
    """A rollback makes an old slug new."""
    assert pruned(history("a:s", "b:s", "c:s", "d:s", "a:s"), 5, keep=3) == {"b"}


def test_running_slug_and_the_one_to_go_back_to_are_always_kept() -> None:
    """Whatever the limits say, also after config changes and failures."""
    assert pruned(history("a:s", "b:s", "c:s"), 3, keep=1) == {"a"}
    assert pruned(history("a:s", "b:s", "b:f", "c:s"), 4, keep=0, max_bytes=1) == {"a"}


def test_slug_before_the_running_one_is_kept_for_its_static_files() -> None:
    """Also when a rollback by default would bring back the same slug with another config."""
    assert pruned(history("a:s", "b:s", "b:s"), 3, keep=1) == set()
    assert pruned(history("a:s", "b:s", "c:s", "c:s"), 4, keep=1) == {"a"}


def test_slug_of_a_failed_release_is_kept_while_it_may_be_retried() -> None:
    """The latest only, and until another release is live."""
    assert pruned(history("a:s", "b:f", "c:f"), 1, keep=2) == {"b"}
    assert pruned(history("a:s", "b:f", "c:s"), 3, keep=5) == {"b"}


def test_slug_of_a_release_in_progress_is_kept() -> None:
    """It is about to be used."""
    assert pruned(history("a:s", "b:p"), 1, keep=1) == set()


def test_disk_limit() -> None:
    """From the newest on, as many as fit; each has 10 bytes."""
    releases = history("a:s", "b:s", "c:s", "d:s")
    assert pruned(releases, 4, max_bytes=30) == {"a"}
    assert pruned(releases, 4, max_bytes=39) == {"a"}
    assert pruned(releases, 4, max_bytes=40) == set()
    shared = [replace(slug, dependencies="layer") for slug in slugs("abcd")]
    for max_bytes, number in ((45, 0), (44, 1)):
        layers = {"layer": 5}  # counts once
        gone = prunable(shared, releases, 4, keep=9, max_bytes=max_bytes, layers=layers)
        assert len(gone) == number
