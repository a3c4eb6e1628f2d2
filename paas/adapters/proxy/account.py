"""The account that the workers of nginx and HAProxy run as."""

import pwd

from paas.domain.values.errors import PaasError
from paas.domain.values.names import shown
from paas.settings import Settings


def proxy_account(settings: Settings) -> pwd.struct_passwd:
    """The account in the setting proxy_user. Raises PaasError if this machine does not have it."""
    try:
        return pwd.getpwnam(settings.proxy_user)
    except (KeyError, ValueError) as error:  # ValueError: a NUL in it
        raise PaasError(
            "proxy-user",
            f"proxy_user in server.yml is {shown(settings.proxy_user)}, "
            "and this machine has no such account.",
            "Correct it there; Debian's is www-data.",
        ) from error
