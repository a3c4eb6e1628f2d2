"""The reference shows the table of permissions as it is."""

from tests.unit.people.access_tables import PAGE, page


def test_the_page_is_made_from_the_table() -> None:
    """Otherwise: .venv/bin/python -m tests.unit.people.access_tables"""
    assert PAGE.read_text() == page()
