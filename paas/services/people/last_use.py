"""The last use of a key or a token, as far as it is recorded."""

from datetime import datetime

from paas.domain.people.uses import LastUse
from paas.interfaces import LastUses


def last_use(uses: LastUses, id: str, added: datetime | None) -> LastUse:
    """The last use of what was added then; it may be older than the records."""
    last, since = uses.last(id), uses.since()
    if last is not None or since is None or added is None or added >= since:
        return LastUse(last)
    return LastUse(None, since)
