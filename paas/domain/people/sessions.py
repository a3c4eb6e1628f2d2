"""Sessions of the dashboard, and the links with which they begin.

A session is a token of its user with a short life, which a browser keeps in a cookie. What it is
limited to, and until when it is valid, comes from what it was opened with.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from paas.domain.people.tokens import TokenPrefix
from paas.domain.values.names import UserName

LIFETIME = timedelta(hours=12)
LINK_LIFETIME = timedelta(minutes=5)
# Of a user, at once; the oldest give way.
LINKS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLink:
    """A link, without its secret. It opens one session.

    made_with: the token that it was made with, if it was one. until: when its session ends at the
    latest. expires: when the link itself is no longer valid.
    """

    prefix: TokenPrefix
    user: UserName
    made_with: TokenPrefix | None
    until: datetime
    expires: datetime
