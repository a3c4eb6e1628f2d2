"""TCP ports: public ports of the server that lead to an app as they are, without HTTP."""

import re
from typing import NewType

from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown

TcpPort = NewType("TcpPort", int)
PortRange = tuple[int, int]

# As the setting has it where apps may have none.
NO_PORTS: PortRange = (0, 0)
# Lower ones are for the services of the machine itself.
FIRST_PORT = 1_024
LAST_PORT = 65_535
# Of one app.
PORTS_MAX = 10
_WORD = re.compile(r"([1-9][0-9]{0,4}):tcp")


def tcp_port(text: str) -> TcpPort:
    """Validate a port as users write it, ``5433:tcp``. Raises a usage error."""
    found = _WORD.fullmatch(text)
    if found is None or int(found[1]) > LAST_PORT:
        raise usage_error(
            "tcp-port",
            f"{shown(text)} is not a port that can lead to an app: it is written as PORT:tcp.",
            "For example: paas ports:add 5433:tcp",
        )
    return TcpPort(int(found[1]))


def is_within(port: int, allowed: PortRange) -> bool:
    """Whether apps may have the port. allowed: the first and the last that they may have."""
    return allowed != NO_PORTS and allowed[0] <= port <= allowed[1]
