"""The chain of lines: what a change to one of them breaks."""

import json

import pytest

from paas.domain.audit.lines import START, DamagedLineError, check, follow_on, read_line, seal


def chain(count: int) -> list[bytes]:
    """So many lines."""
    made, link = [], START
    for number in range(count):
        line, link = seal(link, {"command": "config:set", "words": [f"A{number}"]})
        made.append(line)
    return made


def verdict(lines: list[bytes]) -> tuple[int, str | None, str]:
    """What a check says of these lines."""
    found = check((f"line {number}", raw) for number, raw in enumerate(lines, 1))
    return found.lines, found.place, found.why


def test_a_line_is_read_as_it_was_written() -> None:
    """Also with a word that is no valid UTF-8; the first one follows nothing."""
    raw, link = seal(START, {"words": ["\udcff", "ü", "\n"]})
    line = read_line(raw)
    assert (line.n, line.prev, line.link) == (1, "0" * 64, link)
    assert line.fields["words"] == ["\udcff", "ü", "\n"]
    assert b"\n" not in raw


def test_a_whole_chain() -> None:
    """Whatever number it begins with: older files may have expired."""
    lines = chain(5)
    assert verdict(lines) == (5, None, "")
    assert verdict(lines[2:]) == (3, None, "")
    assert verdict([]) == (0, None, "")


def test_each_change_is_found() -> None:
    """A field, the layout, a line that is removed, doubled, moved, or made again."""
    lines = chain(5)
    changed = lines[2].replace(b'"A2"', b'"B2"')
    spaced = json.dumps(json.loads(lines[2])).encode()
    forged, _ = seal(read_line(lines[0]).link, {"command": "ps:stop"})
    for third in (changed, spaced, b"{}", b"[]", b"not JSON", b""):
        assert verdict([*lines[:2], third, *lines[3:]])[:2] == (2, "line 3")
    assert verdict([*lines[:2], *lines[3:]])[1] == "line 3"
    assert verdict([*lines[:3], lines[2], *lines[3:]])[1] == "line 4"
    assert verdict([lines[0], lines[2], lines[1], *lines[3:]])[1] == "line 2"
    assert verdict([lines[0], forged, *lines[2:]])[1] == "line 3"


def test_a_damaged_last_line_is_followed_too() -> None:
    """What happens next is recorded, and the check still says where the damage is."""
    lines = chain(3)
    damaged = [*lines[:2], lines[2][:-9]]
    link = follow_on(reversed(damaged))
    assert link.n == 3
    more, _ = seal(link, {"command": "ps:stop"})
    assert verdict([*damaged, more]) == (2, "line 3", "it is not JSON")
    assert follow_on(reversed([b"x", b"y"])).n == 2
    assert follow_on([]) == START


def test_numbers_alone_are_no_line() -> None:
    """JSON of another kind."""
    for raw in (b"1", b'{"n":1}', b'{"hash":"","n":"1","prev":""}'):
        with pytest.raises(DamagedLineError):
            read_line(raw)
