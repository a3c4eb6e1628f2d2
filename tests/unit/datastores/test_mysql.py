"""What MariaDB is told: its configuration, and the SQL that sets a datastore up."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from paas.adapters.datastores.mysql import programs, sql
from paas.adapters.datastores.mysql.conf import mariadb_cnf
from paas.adapters.datastores.mysql.server import MariadbServer
from paas.adapters.datastores.places import Places
from paas.domain.datastores.datastores import Datastore, DatastoreState
from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.names import DatastoreName
from paas.domain.datastores.plans import SMALL, STANDARD
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.settings import Settings

PLACES = Places(Path("/var/lib/paas/datastores/3"), Path("/run/paas/datastores/3"))
ONE = Datastore(
    id=3,
    name=DatastoreName("mysql-curly-1234"),
    kind=DatastoreKind.MYSQL,
    version="10.11",
    plan=SMALL,
    app_id=1,
    uid=70001,
    port=31000,
    state=DatastoreState.READY,
    password=Secret("canary-1"),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def test_the_configuration() -> None:
    """All of it, as it is written; the sizes come from the plan."""
    text = mariadb_cnf(PLACES, 31_000, SMALL, read_only=False)
    golden = Path(__file__).parents[1] / "golden" / "mariadb" / "small.cnf"
    assert text == golden.read_text()
    larger = mariadb_cnf(PLACES, 31_000, STANDARD, read_only=False)
    assert "innodb-buffer-pool-size = 384M\n" in larger
    assert "max-connections = 105\n" in larger


def test_a_right_is_for_one_database() -> None:
    """Where GRANT takes a pattern, an underscore is any character, unless it is escaped."""
    text = sql.set_up(ONE)
    assert "GRANT ALL PRIVILEGES ON `mysql\\_curly\\_1234`.* TO 'mysql_curly_1234'@'%';" in text
    assert "GRANT OPTION" not in text


def test_no_statement_has_the_password() -> None:
    """Clients print what fails."""
    assert "canary" not in sql.set_up(ONE)
    assert "IDENTIFIED VIA mysql_native_password USING '*" in sql.set_up(ONE)


def test_a_password_hash() -> None:
    """The one that MariaDB's PASSWORD('secret') gives."""
    assert sql.password_hash(Secret("secret")) == "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7"


def test_the_client_gets_the_password_in_its_environment(tmp_path: Path) -> None:
    """Never on its command line, which others may see."""
    client = MariadbServer(Settings(state=tmp_path)).client(ONE, "SELECT 1")
    assert client.argv[-2:] == ("--execute=SELECT 1", "mysql_curly_1234")
    assert "canary" not in " ".join(client.argv)
    assert client.env[VarName("MYSQL_PWD")] == "canary-1"


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64", "10.11"),
        ("mariadbd  Ver 11.8.3-MariaDB-1 from Debian for debian-linux-gnu", "11.8"),
    ],
)
def test_a_version(said: str, version: str) -> None:
    """Two numbers of three."""
    assert programs.version_in(said) == version


def test_a_server_that_is_no_mariadb() -> None:
    """MySQL's own is not taken for it."""
    with pytest.raises(PaasError) as caught:
        programs.version_in("/usr/sbin/mysqld  Ver 8.0.43-0ubuntu0.24.04.1 for Linux on x86_64")
    assert caught.value.reference == "mariadb-missing"
