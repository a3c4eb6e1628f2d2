"""Which DNS servers an app in a network of its own gets, by the files of the machine."""

from pathlib import Path

import pytest

from paas.adapters.network import app_dns

OWN, STUB = "nameserver 192.0.2.1\n", "nameserver 127.0.0.53\n"
RESOLVED = "nameserver 192.0.2.2\nnameserver 2001:db8::1\n"


@pytest.mark.parametrize(
    ("own", "resolved", "shown", "servers"),
    [
        (OWN, None, None, ["192.0.2.1"]),
        (OWN, RESOLVED, None, ["192.0.2.1"]),
        (STUB, RESOLVED, RESOLVED, ["192.0.2.2"]),
        (STUB, None, None, []),
        (None, RESOLVED, RESOLVED, ["192.0.2.2"]),
        (None, None, None, []),
    ],
)
def test_the_servers_that_can_be_reached(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own: str | None,
    resolved: str | None,
    shown: str | None,
    servers: list[str],
) -> None:
    """The machine's own file, or that of systemd-resolved, whose stub is on loopback; or none."""
    files = (tmp_path / "resolv.conf", tmp_path / "resolved.conf")
    for path, text in zip(files, (own, resolved), strict=True):
        if text is not None:
            path.write_text(text)
    monkeypatch.setattr(app_dns, "_RESOLV_CONFS", files)
    assert app_dns.resolv_conf() == shown
    assert app_dns.dns_servers() == servers
    assert app_dns.is_out_of_reach() == (own is not None and not servers)
