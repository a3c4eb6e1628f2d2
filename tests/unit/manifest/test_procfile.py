"""The Procfile's format."""

import pytest

from paas.domain.manifest.procfile import parse_procfile
from paas.domain.values.errors import PaasError


@pytest.mark.parametrize(
    ("content", "processes"),
    [
        (b"web: gunicorn app:app\n", {"web": "gunicorn app:app"}),
        (b"\xef\xbb\xbfweb: a\r\nworker: b\r\n", {"web": "a", "worker": "b"}),
        (b"# comment\n\nweb:a --x='b: c'", {"web": "a --x='b: c'"}),
        (b"web: echo %(ENV_X)s % $PORT", {"web": "echo %(ENV_X)s % $PORT"}),
        (b"", {}),
        ("web: a\r\nworker: \u00e9".encode("utf-16"), {"web": "a", "worker": "\u00e9"}),
        ("web: a".encode("utf-16-le"), {"web": "a"}),
    ],
)
def test_good(content: bytes, processes: dict[str, str]) -> None:
    """Commands arrive byte for byte; BOM, CRLF, comments and blank lines are accepted."""
    assert parse_procfile(content) == processes


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"web: a\n# caf\xe9", "line 2 has the byte 0xE9, as in Latin-1"),
        (b"web gunicorn", "line 1: 'web gunicorn' has no colon"),
        (b"web: a\n../x: b", "line 2"),
        (b"web: a\nweb: b", "there twice"),
        (b"web:", "no command"),
        (b"web: a\0b", "NUL"),
        (b"web: \xff", "not UTF-8"),
        (b"web: " + b"x" * 20_000, "longer"),
    ],
)
def test_bad(content: bytes, part: str) -> None:
    """What is wrong is named with its line."""
    with pytest.raises(PaasError) as caught:
        parse_procfile(content)
    assert part in caught.value.message
