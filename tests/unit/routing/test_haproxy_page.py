"""The table of docs/haproxy.md."""

from tests.contract.proxy.differences_table import PAGE, page, rows


def test_it_is_made_of_the_tests() -> None:
    """Otherwise: .venv/bin/python -m tests.contract.proxy.differences_table"""
    assert PAGE.read_text() == page()


def test_each_subject_is_told_once() -> None:
    """And in words that leave the table whole."""
    found = rows()
    assert len({row.subject for row in found}) == len(found) > 20
    for row in found:
        assert not {"|", "\n"} & set(row.subject + row.nginx + row.haproxy)
        assert row.subject
        assert row.nginx != row.haproxy
