"""Tokens: random strings that act for a user, limited to an app, a role and a time.

``paas_``, 40 random characters and 6 of their checksum, all letters and digits: a secret scanner
finds a token by its prefix, and confirms it by the checksum (as with GitHub's:
https://github.blog/engineering/behind-githubs-new-authentication-token-formats/).
"""

import hashlib
import re
import string
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

from paas.domain.people.actors import Scope
from paas.domain.people.permissions import AppRole
from paas.domain.people.uses import LastUse
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import AppName, UserName
from paas.domain.values.secret import Secret

TokenPrefix = NewType("TokenPrefix", str)
"""The first 8 characters after ``paas_``: public, they name the token."""

MARK = "paas_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_CHARACTERS = 40
PATTERN = re.compile(r"paas_[0-9A-Za-z]{46}")
DEFAULT_LIFETIME = timedelta(days=90)
NOTE_MAX = 100
_PREFIX_CHARACTERS = 8
_CHECKSUM_CHARACTERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token, without its secret. app, app_id: the app that it is limited to, if any.

    role: the highest role that it allows, if it is limited to one. expires: None if never.
    session: whether it is one of the dashboard. made_with: the token with which that was opened.
    """

    prefix: TokenPrefix
    user: UserName
    note: str
    app_id: int | None
    app: AppName | None
    role: AppRole | None
    created: datetime
    expires: datetime | None
    session: bool = False
    made_with: "TokenPrefix | None" = None

    @property
    def scope(self) -> Scope | None:
        """What it is limited to; None if it has all rights of its user's account."""
        if self.app_id is None and self.role is None:
            return None
        return Scope(self.app_id, self.role)

    def is_expired(self, now: datetime) -> bool:
        """Whether it is no longer valid."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True, slots=True)
class TokenReport:
    """A token with its last use."""

    token: Token
    last: LastUse


def with_checksum(random: str) -> Secret:
    """A token of 40 random characters of the alphabet."""
    return Secret(f"{MARK}{random}{_checksum(random)}")


def prefix_of(token: Secret) -> TokenPrefix:
    """The prefix of a token. Raises PaasError if the token is not complete."""
    text = token.reveal()
    random = text[len(MARK) : len(MARK) + RANDOM_CHARACTERS]
    if PATTERN.fullmatch(text) is None or with_checksum(random) != token:
        raise PaasError(
            "token-form",
            "PAAS_TOKEN is set, but it is not a token: paas_ and 46 letters and digits, of which "
            "the last six are a checksum.",
            "Set it to a whole token, without quotes or spaces; or, to use your own SSH key: "
            "unset PAAS_TOKEN",
        )
    return TokenPrefix(random[:_PREFIX_CHARACTERS])


def stored(token: Secret) -> str:
    """The hash that is stored instead: SHA-256, in hexadecimal.

    A slow hash protects what people choose. These are 238 random bits, which nobody can guess, and
    each command would have to wait for it. The time that it takes to look up a hash reveals nothing
    about the token.
    """
    return hashlib.sha256(token.reveal().encode()).hexdigest()


def token_prefix(text: str) -> TokenPrefix:
    """Validate the prefix of a token, with or without ``paas_``."""
    prefix = text.removeprefix(MARK)
    if PATTERN.fullmatch(text):
        raise usage_error(
            "token-prefix",
            "That is a whole token, which must not be on a command line: others can read it there.",
            f"paas tokens:revoke {prefix[:_PREFIX_CHARACTERS]}",
        )
    if re.fullmatch(r"[0-9A-Za-z]{8}", prefix) is None:
        raise usage_error(
            "token-prefix",
            "Name a token by the 8 characters after paas_.",
            "See: paas tokens",
        )
    return TokenPrefix(prefix)


def token_note(text: str) -> str:
    """Validate a token's note by its creator."""
    if len(text) > NOTE_MAX or not text.isprintable():
        raise usage_error(
            "token-note", f"A note has at most {NOTE_MAX} characters, all of them printable."
        )
    if PATTERN.search(text):
        raise usage_error("token-note", "A note is shown to others; this one contains a token.")
    return text


def _checksum(text: str) -> str:
    """CRC32 in base 62."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
