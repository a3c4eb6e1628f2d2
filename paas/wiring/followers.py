"""Followers of datastores."""

from paas.services.datastores.datastores import Datastores
from paas.services.datastores.following.followers import Followers
from paas.services.datastores.following.upkeep import FollowerUpkeep
from paas.services.datastores.rotation import LoginRotation
from paas.services.datastores.upkeep import DatastoreUpkeep
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import follower_watch


def following(adapters: Adapters, keeping: DatastoreUpkeep) -> FollowerUpkeep:
    """Followers, whoever asks for what is done to them."""
    return FollowerUpkeep(
        store=adapters.store,
        followers=adapters.datastore_followers,
        watch=follower_watch(adapters),
        upkeep=keeping,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def followers(
    adapters: Adapters, datastores: Datastores, keeping: FollowerUpkeep, rotation: LoginRotation
) -> Followers:
    """What users do with followers."""
    return Followers(
        store=adapters.store,
        archives=adapters.datastore_archives,
        datastores=datastores,
        keeping=keeping,
        rotation=rotation,
        locks=adapters.locks,
    )
