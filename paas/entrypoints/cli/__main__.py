"""The same commands without the gate, for root: ``python -m paas.entrypoints.cli --etc ETC ...``"""

import os
import sys

from paas.domain.people.origins import Origin, login_name
from paas.entrypoints.cli.local import LocalCaller
from paas.entrypoints.cli.main import run


def main() -> int:
    """Run a command in this process. Only root may: the database is root's."""
    if os.geteuid() != 0 or len(sys.argv) < 3 or sys.argv[1] != "--etc":
        sys.stderr.write(
            " !     Only root may do this, as: python -m paas.entrypoints.cli --etc ETC\n"
        )
        return 2
    env = {**os.environ, "PAAS_ETC": sys.argv[2]}
    return run(
        sys.argv[3:],
        actor_name=None,
        origin=Origin(login=login_name(os.environ.get("SUDO_USER"))),
        env=env,
        reply=lambda _: None,
        client_gone=lambda: False,
        caller=LocalCaller(),
    )


if __name__ == "__main__":
    sys.exit(main())
