"""A MariaDB elsewhere that has no TLS: a real one, which is none of the platform's."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.adapters.datastores.mysql import programs
from paas.adapters.datastores.mysql.external import ExternalMysql
from paas.domain.datastores.external import parse_external_url
from paas.domain.values.errors import PaasError
from tests.fakes.output import FakeProgress
from tests.ports import free_port
from tests.waiting import wait_for

PORT = free_port()
URL = f"mysql://shop:canary-7d1c0a@db.example.com:{PORT}/shop"
SET_UP = """
CREATE DATABASE shop;
CREATE USER 'shop'@'%' IDENTIFIED BY 'canary-7d1c0a';
GRANT ALL ON shop.* TO 'shop'@'%';
"""


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """It serves at PORT."""
    programs.ensure_installed(FakeProgress())
    directory = tmp_path_factory.mktemp("mariadb")
    data = f"--datadir={directory / 'data'}"
    (directory / "set-up.sql").write_text(SET_UP)
    made = [str(programs.INSTALL), "--no-defaults", "--skip-test-db", "--user=root", data]
    subprocess.run(made, env=programs.ENV, check=True, capture_output=True)
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [
                *(str(programs.SERVER), "--no-defaults", "--user=root", data, "--skip-ssl"),
                *("--bind-address=127.0.0.1", f"--port={PORT}"),
                *(f"--socket={directory / 's'}", f"--init-file={directory / 'set-up.sql'}"),
            ],
            env=programs.ENV,
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(lambda: is_ready(directory, server))
        yield
    finally:
        server.terminate()
        server.wait(150)


def is_ready(directory: Path, server: "subprocess.Popen[bytes]") -> bool:
    """Whether it has come up."""
    assert server.poll() is None, (directory / "log").read_text()
    return "ready for connections" in (directory / "log").read_text()


def test_that_it_has_no_tls_is_noticed() -> None:
    """Though the client would go on without; and it is taken, unless the URL wants TLS."""
    assert not ExternalMysql().check(parse_external_url(URL), "127.0.0.1").encrypted
    with pytest.raises(PaasError) as caught:
        ExternalMysql().check(parse_external_url(f"{URL}?ssl-mode=REQUIRED"), "127.0.0.1")
    assert caught.value.reference == "external-refused"
