"""The table of whom the gate serves: shares, the reserve, and those who only wait."""

import pytest

from paas.domain.values.errors import PaasError
from paas.entrypoints.gate.slots import ROWS, Slots


def no() -> bool:
    """Not an administrator."""
    return False


def yes() -> bool:
    """An administrator."""
    return True


def begin(slots: Slots, user: str, times: int = 1) -> list[int]:
    """Begin commands, none of which is refused."""
    rows = []
    for _ in range(times):
        row = slots.take()
        assert row is not None
        assert slots.enter(row, user, no) is None
        rows.append(row)
    return rows


def test_a_share_a_user() -> None:
    """A quarter; what ends makes room, and another user has their own."""
    slots = Slots(16)
    first, *_ = begin(slots, "alice", 4)
    row = slots.take()
    assert row is not None
    why = slots.enter(row, "alice", no)
    assert why is not None
    assert "You have 4 commands running" in why
    begin(slots, "bob", 4)
    slots.free(first)
    assert slots.enter(row, "alice", no) is None


def test_a_reserve_for_administrators() -> None:
    """The last eighth is theirs; beyond all there is no room for anybody."""
    slots = Slots(16)
    for user in ("a", "b", "c"):
        begin(slots, user, 4)
    begin(slots, "d", 2)
    row = slots.take()
    assert row is not None
    why = slots.enter(row, "d", no)
    assert why is not None
    assert "as many commands as it can" in why
    assert slots.enter(row, "root", yes) is None
    more = [slots.take() for _ in range(2)]
    assert [slots.enter(row, "root", yes) for row in more if row is not None] == [None, why]


def test_what_waits_is_no_command() -> None:
    """It has its own share; a command that continues without its client has none."""
    slots = Slots(16)
    for row in begin(slots, "alice", 4):
        slots.wait(row, no)
    rows = begin(slots, "alice", 4)
    with pytest.raises(PaasError) as caught:
        slots.wait(rows[0], no)
    assert caught.value.reference == "too-many-sessions"
    slots.wait(rows[0], yes)
    slots.leave(rows[1])
    begin(slots, "alice", 2)


def test_users_cannot_fill_the_table_with_what_waits() -> None:
    """Half of it is left for commands."""
    slots = Slots(128)
    for number in range(ROWS // 2):
        (row,) = begin(slots, f"user{number}")
        slots.wait(row, no)
    (row,) = begin(slots, "late")
    with pytest.raises(PaasError, match="wait on this server"):
        slots.wait(row, no)
    slots.wait(row, yes)


def test_a_full_table() -> None:
    """There is no row; a freed one is given again."""
    slots = Slots(16)
    rows = [slots.take() for _ in range(ROWS)]
    assert slots.take() is None
    assert rows[7] is not None
    slots.free(rows[7])
    assert slots.take() == rows[7]
