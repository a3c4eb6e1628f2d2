"""Redis: how much of a plan's memory its data get, and what happens when that is full."""

from enum import StrEnum

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.plans import Plan

# Of the plan's memory, which is the limit of all processes. 64 MiB of small keys are about 100 MiB
# of the process; and while it rewrites its file, a copy of it keeps what changes meanwhile.
_SHARE = 4
# The setting, by Redis's own word.
POLICY = "maxmemory-policy"


class Policy(StrEnum):
    """What Redis does when its memory is full.

    NOEVICTION: it refuses writes. The others delete keys: any keys, or (VOLATILE) only those with
    an expiry; the least recently used (LRU) or least often used (LFU), random ones, or those that
    expire first (TTL).
    """

    NOEVICTION = "noeviction"
    ALLKEYS_LRU = "allkeys-lru"
    ALLKEYS_LFU = "allkeys-lfu"
    ALLKEYS_RANDOM = "allkeys-random"
    VOLATILE_LRU = "volatile-lru"
    VOLATILE_LFU = "volatile-lfu"
    VOLATILE_RANDOM = "volatile-random"
    VOLATILE_TTL = "volatile-ttl"


def max_memory_mib(plan: Plan) -> int:
    """How much its data may take."""
    return plan.memory_mib // _SHARE


def policy_of(datastore: Datastore) -> Policy:
    """The chosen policy; as on Heroku, it deletes nothing by default."""
    return Policy(datastore.settings.get(POLICY, Policy.NOEVICTION))
