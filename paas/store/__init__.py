"""The state in one SQLite file, by noun: a method is one transaction, durable when it returns."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paas.domain.server.allocations import Ranges
from paas.domain.values.errors import PaasError
from paas.store.allocations import Allocations
from paas.store.app_locks import AppLocks
from paas.store.apps import Apps
from paas.store.archives import Archives
from paas.store.build_dirs import BuildDirs
from paas.store.buildpacks import Buildpacks
from paas.store.builds import Builds
from paas.store.certificate_orders import CertificateOrders
from paas.store.certificates import Certificates
from paas.store.cluster import Cluster
from paas.store.cron import Cron
from paas.store.database import Database
from paas.store.datastores import Datastores
from paas.store.domain_proofs import DomainProofs
from paas.store.drains import Drains
from paas.store.dumps import Dumps
from paas.store.externals import Externals
from paas.store.formations import Formations
from paas.store.git_credentials import GitCredentials
from paas.store.gone import Gone
from paas.store.grants import Grants
from paas.store.image_builds import ImageBuilds
from paas.store.instances import Instances
from paas.store.keys import Keys
from paas.store.login_changes import LoginChanges
from paas.store.login_links import LoginLinks
from paas.store.maintenance import Maintenance
from paas.store.notifications import Notifications
from paas.store.pipelines import Pipelines
from paas.store.poolers import Poolers
from paas.store.previews import Previews
from paas.store.quotas import Quotas
from paas.store.releases import Releases
from paas.store.resource_limits import ResourceLimits
from paas.store.routing import Routings
from paas.store.sealing import Sealing
from paas.store.server_keys import ServerKeys
from paas.store.shared_certificates import SharedCertificates
from paas.store.slugs import Slugs
from paas.store.start_limits import StartLimits
from paas.store.stopped import Stopped
from paas.store.storage import Storages
from paas.store.teams import Teams
from paas.store.tokens import Tokens
from paas.store.users import Users
from paas.store.web_certificate import WebCertificates
from paas.store.webhooks import Webhooks


class Store:
    """The database of one server. ranges: the uids and ports that it may give out.

    keys: what its secrets are sealed with; without them it can neither seal nor open any.
    """

    def __init__(self, path: Path, ranges: Ranges, keys: ServerKeys | None = None) -> None:
        self.database = database = Database(path, keys)
        self.allocations = Allocations(database, ranges)
        self.sealing = Sealing(database)
        self.app_locks = AppLocks(database)
        self.grants = Grants(database)
        self.apps = Apps(database, self.allocations, self.grants)
        self.archives = Archives(database)
        self.build_dirs = BuildDirs(database)
        self.buildpacks = Buildpacks(database)
        self.builds = Builds(database)
        self.certificate_orders = CertificateOrders(database)
        self.certificates = Certificates(database)
        self.cluster = Cluster(database)
        self.cron = Cron(database)
        self.datastores = Datastores(database, self.allocations, self.sealing)
        self.domain_proofs = DomainProofs(database)
        self.drains = Drains(database, self.sealing)
        self.dumps = Dumps(database)
        self.externals = Externals(database, self.sealing)
        self.formations = Formations(database)
        self.git_credentials = GitCredentials(database, self.sealing)
        self.gone = Gone(database)
        self.image_builds = ImageBuilds(database, self.sealing)
        self.instances = Instances(database, self.allocations)
        self.keys = Keys(database)
        self.login_changes = LoginChanges(database, self.sealing)
        self.maintenance = Maintenance(database)
        self.notifications = Notifications(database, self.sealing)
        self.pipelines = Pipelines(database)
        self.poolers = Poolers(database, self.allocations)
        self.previews = Previews(database, self.sealing)
        self.releases = Releases(database, self.sealing)
        self.quotas = Quotas(database)
        self.resource_limits = ResourceLimits(database)
        self.routing = Routings(database)
        self.shared_certificates = SharedCertificates(database, self.sealing)
        self.slugs = Slugs(database)
        self.start_limits = StartLimits(database)
        self.stopped = Stopped(database)
        self.storage = Storages(database)
        self.teams = Teams(database)
        self.login_links = LoginLinks(database)
        self.tokens = Tokens(database)
        self.users = Users(database)
        self.web_certificate = WebCertificates(database)
        self.webhooks = Webhooks(database, self.sealing)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the calls in the block one transaction: all or nothing, durable at its end.

        What the block reads stays true until then. An exception undoes it; in a block of another
        transaction it is a part of that. Every other writer waits meanwhile, so nothing slow
        belongs in the block: no lock, no proxy, no process, no network.
        """
        with self.database.writing():
            yield

    def close(self) -> None:
        """Close the database; the next call opens it again."""
        self.database.close()

    def read_older(self) -> PaasError | None:
        """Have this read, but never write, a store that is an older copy; what is wrong with it.

        None: nothing. Raises PaasError if it cannot be read. Only for callers that do not act on
        what they read.
        """
        return self.database.read_older()
