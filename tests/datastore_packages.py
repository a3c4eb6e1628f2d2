"""Installs the packages of datastores for the tests, as the platform does, one after the other.

Run before the tests, which run side by side: apt-get fails while another one gets the lists.
"""

from pathlib import Path

from paas.adapters.datastores.mysql import programs as mysql
from paas.adapters.datastores.pgbouncer import programs as pgbouncer
from paas.adapters.datastores.postgresql import programs as postgresql
from paas.adapters.datastores.postgresql.archive_conf import PROGRAM
from paas.adapters.datastores.redis import programs as redis
from tests import old_postgresql
from tests.fakes.output import FakeProgress


def main() -> None:
    """What is there already is left alone."""
    progress = FakeProgress()
    postgresql.ensure_installed(progress)
    if not Path(PROGRAM).exists():
        postgresql.install_archiver(progress)
    pgbouncer.ensure_installed(progress)
    mysql.ensure_installed(progress)
    redis.ensure_installed(progress)
    old_postgresql.ensure_installed()


if __name__ == "__main__":
    main()
