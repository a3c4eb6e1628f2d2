"""What a request comes in with."""

from dataclasses import dataclass

from paas.domain.people.origins import Origin
from paas.domain.values.secret import Secret


@dataclass(frozen=True, slots=True)
class Login:
    """user: whose key it is, as sshd says; None for the operator. token: if one was sent; it is
    not verified yet."""

    user: str | None
    origin: Origin
    token: Secret | None = None
