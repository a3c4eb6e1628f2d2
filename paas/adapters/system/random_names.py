"""Pleasant random names for apps, secrets for config vars and tokens, ids for drains."""

import secrets
import uuid

from paas.domain.people.tokens import ALPHABET
from paas.domain.values.names import APP_NAME_MAX, AppName, app_name


def random_name() -> AppName:
    """Two words and a number, such as ``quiet-otter-4821``."""
    from coolname import generate_slug

    while True:
        name = f"{generate_slug(2)}-{secrets.randbelow(9000) + 1000}"
        if len(name) <= APP_NAME_MAX:
            return app_name(name)


def random_secret() -> str:
    """64 hexadecimal digits, like Heroku's generator for app.json."""
    return secrets.token_hex(32)


def random_characters(count: int) -> str:
    """So many letters and digits, each of 5.95 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def random_token() -> str:
    """The id of a drain, in the form of Heroku's: ``d.`` and a UUID."""
    return f"d.{uuid.uuid4()}"
