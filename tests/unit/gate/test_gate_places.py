"""The table of whom the gate serves: shares, the reserve, and those who only wait."""

import pytest

from paas.domain.values.errors import PaasError
from paas.entrypoints.gate.places import ROWS, Places


def no() -> bool:
    """Not an administrator."""
    return False


def yes() -> bool:
    """An administrator."""
    return True


def begin(places: Places, user: str, times: int = 1) -> list[int]:
    """Begin commands, none of which is refused."""
    rows = []
    for _ in range(times):
        row = places.take()
        assert row is not None
        assert places.enter(row, user, no) is None
        rows.append(row)
    return rows


def test_a_share_a_user() -> None:
    """A quarter; what ends makes room, and another user has their own."""
    places = Places(16)
    first, *_ = begin(places, "alice", 4)
    row = places.take()
    assert row is not None
    why = places.enter(row, "alice", no)
    assert why is not None
    assert "You have 4 commands running" in why
    begin(places, "bob", 4)
    places.free(first)
    assert places.enter(row, "alice", no) is None


def test_a_reserve_for_administrators() -> None:
    """The last eighth is theirs; beyond all there is no room for anybody."""
    places = Places(16)
    for user in ("a", "b", "c"):
        begin(places, user, 4)
    begin(places, "d", 2)
    row = places.take()
    assert row is not None
    why = places.enter(row, "d", no)
    assert why is not None
    assert "as many commands as it can" in why
    assert places.enter(row, "root", yes) is None
    more = [places.take() for _ in range(2)]
    assert [places.enter(row, "root", yes) for row in more if row is not None] == [None, why]


def test_what_waits_is_no_command() -> None:
    """It has a share of its own, in words; what goes on without its client has none."""
    places = Places(16)
    for row in begin(places, "alice", 4):
        places.wait(row, no)
    rows = begin(places, "alice", 4)
    with pytest.raises(PaasError) as caught:
        places.wait(rows[0], no)
    assert caught.value.reference == "too-many-sessions"
    places.wait(rows[0], yes)
    places.leave(rows[1])
    begin(places, "alice", 2)


def test_users_cannot_fill_the_table_with_what_waits() -> None:
    """Half of it is left for commands."""
    places = Places(128)
    for number in range(ROWS // 2):
        (row,) = begin(places, f"user{number}")
        places.wait(row, no)
    (row,) = begin(places, "late")
    with pytest.raises(PaasError, match="wait on this server"):
        places.wait(row, no)
    places.wait(row, yes)


def test_a_full_table() -> None:
    """There is no row; a freed one is given again."""
    places = Places(16)
    rows = [places.take() for _ in range(ROWS)]
    assert places.take() is None
    assert rows[7] is not None
    places.free(rows[7])
    assert places.take() == rows[7]
