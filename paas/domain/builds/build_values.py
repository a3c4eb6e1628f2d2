"""Values for the builds of one app's images: arguments, secrets, and logins to registries."""

from dataclasses import dataclass
from enum import StrEnum

from paas.domain.values.errors import usage_error
from paas.domain.values.secret import Secret

LOGIN_MAX_BYTES = 16_384


class ValueKind(StrEnum):
    """ARG: stays readable in the image. SECRET: for one step only. LOGIN: by host."""

    ARG = "arg"
    SECRET = "secret"  # noqa: S105 - the word itself
    LOGIN = "login"


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """The login with which an app's builds fetch images. host: with its port, if any."""

    host: str
    user: str
    password: Secret

    def __post_init__(self) -> None:
        """Refuse what a header cannot carry (RFC 7617: no colon in the user's name)."""
        texts = (self.user, self.password.reveal())
        if not all(text.isprintable() and text and len(text) <= LOGIN_MAX_BYTES for text in texts):
            raise usage_error(
                "registry-login", "The user's name and the password are one line of text each."
            )
        if ":" in self.user:
            raise usage_error("registry-login", "The user's name contains a colon.")
