"""Whether a dump is whole, by its last line."""

import pytest

from paas.domain.datastores.dump_ends import MYSQL, is_whole


@pytest.mark.parametrize(
    ("tail", "whole"),
    [
        (b"x;\n-- Dump completed on 2026-11-29 15:52:17\n", True),
        (b"x;\n-- Dump completed\r\n\n\n", True),
        (b"-- Dump completed on 2026-11-29", True),
        (b"", False),
        (b"INSERT INTO a VALUES (1);\n", False),
        (b"INSERT INTO a VALUES ('-- Dump completed", False),
        (b"-- Dump completed\nmysqldump: Got error: 2013\n", False),
    ],
)
def test_the_end_of_a_dump(tail: bytes, *, whole: bool) -> None:
    """Only a mark in the last line counts."""
    assert is_whole(tail, MYSQL) is whole
