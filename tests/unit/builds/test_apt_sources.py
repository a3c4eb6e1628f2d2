"""The sources.list that builds are shown where the server has deb822 files alone."""

from pathlib import Path

import pytest

from paas.adapters.builds.apt_sources import apt_with_sources_list, one_line_style

DEBIAN = """Types: deb deb-src
# a comment
URIs: http://deb.debian.org/debian
Suites: trixie
 trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://off.example
Suites: x
Components: y

Types: deb
URIs: http://key.example
Suites: flat/
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQ
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: https://a.example
Suites: ./
Architectures: amd64 arm64
"""


def test_one_line_style() -> None:
    """Each type, address and suite is a line, with the options that count for trust."""
    key = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    debian = "http://deb.debian.org/debian"
    assert list(one_line_style(DEBIAN)) == [
        f"deb {key} {debian} trixie main contrib",
        f"deb {key} {debian} trixie-updates main contrib",
        f"deb-src {key} {debian} trixie main contrib",
        f"deb-src {key} {debian} trixie-updates main contrib",
        "deb [arch=amd64,arm64] https://a.example ./",
    ]


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    """An /etc/apt of a newer system."""
    apt = tmp_path / "apt"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "keyrings").mkdir()
    (apt / "sources.list.d/plain.sources").write_text(DEBIAN.partition("\n\n")[0])
    (apt / "sources.list.d/debian.sources").write_text(DEBIAN)
    (apt / "keyrings/ours.gpg").write_bytes(b"key")
    (apt / "auth.conf").write_text("machine x password y")
    secret = apt / "keyrings/secret"
    secret.touch(mode=0o600)
    return apt


@pytest.mark.parametrize("content", [None, "", "# moved to sources.list.d\n"])
def test_a_missing_or_empty_list_is_made(apt: Path, tmp_path: Path, content: str | None) -> None:
    """With what apt needs beside it, and without passwords."""
    if content is not None:
        (apt / "sources.list").write_text(content)
    shown = apt_with_sources_list(apt, tmp_path / "shown")
    assert shown is not None
    assert "deb [arch=amd64,arm64] https://a.example ./\n" in (shown / "sources.list").read_text()
    found = {str(path.relative_to(shown)) for path in shown.rglob("*") if path.is_file()}
    assert found == {"sources.list", "sources.list.d/debian.sources", "keyrings/ours.gpg"}


def test_a_list_that_is_there_is_left(apt: Path, tmp_path: Path) -> None:
    """An older system is shown as it is, and so is one without any sources."""
    (apt / "sources.list").write_text("deb http://deb.debian.org/debian bookworm main\n")
    assert apt_with_sources_list(apt, tmp_path / "shown") is None
    (apt / "sources.list").unlink()
    for path in apt.glob("sources.list.d/*"):
        path.unlink()
    assert apt_with_sources_list(apt, tmp_path / "shown") is None
