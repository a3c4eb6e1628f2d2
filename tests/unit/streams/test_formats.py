"""Streams as Heroku's clients read them, and their requests."""

import pytest

from paas.entrypoints.streams.formats import event, plain
from paas.entrypoints.streams.requests import NothingError, parse

AT = "2026-08-01T10:00:00.000000+00:00"
SECRET = "s" * 43


@pytest.mark.parametrize(
    ("source", "process", "shown"),
    [
        ("app", "web.1", "app[web.1]"),
        ("paas", "web.1", "heroku[web.1]"),
        ("paas", "api", "heroku[api]"),
        ("router", "", "heroku[router]"),
    ],
)
def test_sources_have_the_names_that_heroku_gives_them(
    source: str, process: str, shown: str
) -> None:
    """What is not of the app is of the platform."""
    assert plain(("1-2.3", AT, source, process, "hi")) == f"{AT} {shown}: hi\n".encode()


def test_a_line_of_an_output_is_all_of_it() -> None:
    """Its mark is its number."""
    assert plain(("7", "-----> Python app")) == b"-----> Python app\n"
    assert event(("7", "-----> Python app")) == b"id: 7\ndata: -----> Python app\n\n"


def test_an_event_has_an_id_and_one_line() -> None:
    """Whatever an app prints, it cannot begin another field."""
    row = ("1-2.3", AT, "app", "web.1", "a\rid: 9\ndata: b")
    assert event(row) == f"id: 1-2.3\ndata: {AT} app[web.1]: a id: 9 data: b\n\n".encode()


def head(first: str, *lines: str) -> bytes:
    """Of a request."""
    return "\r\n".join((first, *lines)).encode()


def test_a_request_says_what_the_client_takes() -> None:
    """Other clients than the command line read plain lines."""
    found = parse(
        head(
            f"GET /streams/{SECRET} HTTP/1.1",
            "accept: text/event-stream",
            "Last-Event-ID: 0-12.34-0.0",
            "X-Real-IP: 192.0.2.1",
        )
    )
    assert (found.secret, found.events, found.after) == (SECRET, True, "0-12.34-0.0")
    assert found.address == "192.0.2.1"
    assert not parse(head(f"GET /streams/{SECRET} HTTP/1.1", "Last-Event-ID: <x>")).events
    assert parse(head(f"GET /streams/{SECRET} HTTP/1.1", "Last-Event-ID: <x>")).after == ""


@pytest.mark.parametrize(
    "first",
    [
        f"POST /streams/{SECRET} HTTP/1.1",
        "GET /streams/short HTTP/1.1",
        f"GET /streams/{SECRET}/x HTTP/1.1",
        f"GET /streams/{SECRET}",
        f"GET //streams/{SECRET} HTTP/1.1",
    ],
)
def test_there_is_nothing_else(first: str) -> None:
    """Neither at other paths nor for other methods."""
    with pytest.raises(NothingError):
        parse(head(first))
