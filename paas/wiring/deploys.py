"""Builds, and what deploys them: pushes, imports and clones."""

from paas.services.apps.apps import Apps
from paas.services.apps.destruction import Destruction
from paas.services.builds.build import SlugMaker
from paas.services.builds.builds import Builds
from paas.services.builds.choice import BuilderChoice
from paas.services.builds.copies import SlugCopies
from paas.services.builds.private_buildpacks import PrivateBuildpacks
from paas.services.builds.trees import Trees
from paas.services.builds.uploads import SourceUploads
from paas.services.datastores.declared import DeclaredDatastores
from paas.services.deploys.cloning import Cloning
from paas.services.deploys.deploys import Deploys
from paas.services.deploys.image_imports import ImageImports
from paas.services.deploys.imports import Imports
from paas.services.deploys.promotions import Promotions
from paas.services.deploys.pushes import Pushes
from paas.services.git.credentials import GitCredentials
from paas.services.git.deploy_on_push import DeployOnPush
from paas.services.git.preview_deploys import PreviewDeploys
from paas.services.git.previews import Previews
from paas.services.git.status_reports import StatusReports
from paas.services.releases.pipelines import Pipelines
from paas.services.releases.pruning import Pruning
from paas.services.routing.sites import Sites
from paas.services.server.quotas import Quotas
from paas.wiring import people
from paas.wiring.adapters import Adapters
from paas.wiring.monitor import renewals
from paas.wiring.releases import Releasing


def builds(adapters: Adapters) -> Builds:
    """What users do with builds."""
    return Builds(
        store=adapters.store,
        queue=adapters.queue,
        engines=adapters.engines,
        slugs=adapters.slugs,
        reserve=adapters.reserve,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def deploys(
    adapters: Adapters,
    sites: Sites,
    releasing: Releasing,
    quotas: Quotas,
    declared: DeclaredDatastores,
) -> Deploys:
    """A commit becomes a release."""
    settings = adapters.settings
    return Deploys(
        store=adapters.store,
        repository=adapters.repository,
        maker=_maker(adapters, releasing, quotas, declared),
        queue=adapters.queue,
        slugs=adapters.slugs,
        pruning=Pruning(
            store=adapters.store,
            slugs=adapters.slugs,
            engines=adapters.engines,
            keep_slugs=settings.keep_slugs,
            keep_slugs_mib=settings.keep_slugs_mib,
        ),
        changes=releasing.changes,
        sites=sites,
        renewals=renewals(adapters),
        reserve=adapters.reserve,
        release_commands=releasing.release_commands,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def _maker(
    adapters: Adapters, releasing: Releasing, quotas: Quotas, declared: DeclaredDatastores
) -> SlugMaker:
    credentials = git_credentials(adapters)
    trees = Trees(
        store=adapters.store,
        repository=adapters.repository,
        submodules=adapters.submodules,
        credentials=credentials,
    )
    return SlugMaker(
        trees=trees,
        store=adapters.store,
        repository=adapters.repository,
        choice=BuilderChoice(
            store=adapters.store, engines=adapters.engines, read_yaml=adapters.read_yaml
        ),
        queue=adapters.queue,
        slugs=adapters.slugs,
        slug_images=adapters.slug_images,
        release_commands=releasing.release_commands,
        schedules=adapters.schedules,
        clock=adapters.clock,
        random_secret=adapters.random_secret,
        limits=adapters.settings.start_limits,
        quotas=quotas,
        datastores=declared,
        private=PrivateBuildpacks(credentials=credentials, fetcher=adapters.buildpack_fetcher),
    )


def pushes(
    adapters: Adapters, apps: Apps, deploying: Deploys, releasing: Releasing, quotas: Quotas
) -> Pushes:
    """git push."""
    return Pushes(
        store=adapters.store,
        repository=adapters.repository,
        refs=adapters.refs,
        apps=apps,
        deploys=deploying,
        diffs=releasing.diffs,
        quotas=quotas,
    )


def imports(adapters: Adapters, deploying: Deploys, quotas: Quotas) -> Imports:
    """Deploys from an archive or another repository."""
    return Imports(
        store=adapters.store,
        repository=adapters.repository,
        refs=adapters.refs,
        importer=adapters.importer,
        credentials=git_credentials(adapters),
        deploys=deploying,
        locks=adapters.locks,
        quotas=quotas,
    )


def uploads(adapters: Adapters) -> SourceUploads:
    """Archives that programs upload for a build."""
    return SourceUploads(
        store=adapters.store,
        tokens=people.tokens(adapters),
        files=adapters.uploads,
        slugs=adapters.slugs,
        max_bytes=adapters.settings.max_push_mib * 1024**2,
    )


def git_credentials(adapters: Adapters) -> GitCredentials:
    """What private repositories are fetched with."""
    return GitCredentials(
        store=adapters.store,
        new_key=adapters.new_deploy_key,
        domain=adapters.settings.domain,
    )


def status_reports(adapters: Adapters, sites: Sites) -> StatusReports:
    """What git servers are told."""
    return StatusReports(
        store=adapters.store, statuses=adapters.commit_statuses, sites=sites, logs=adapters.logs
    )


def deploy_on_push(adapters: Adapters, imports: Imports, sites: Sites) -> DeployOnPush:
    """Webhooks of git servers."""
    settings = adapters.settings
    return DeployOnPush(
        store=adapters.store,
        imports=imports,
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
        random_characters=adapters.random_characters,
        reports=status_reports(adapters, sites),
        base=settings.web_url(settings.git_host) if settings.web else None,
    )


def previews(
    adapters: Adapters, destruction: Destruction, sites: Sites, quotas: Quotas
) -> Previews:
    """Apps for pull requests and branches."""
    return Previews(
        store=adapters.store,
        repository=adapters.repository,
        destruction=destruction,
        sites=sites,
        quotas=quotas,
        reserve=adapters.reserve,
        clock=adapters.clock,
    )


def preview_deploys(
    adapters: Adapters, apps: Apps, imports: Imports, releasing: Releasing, sites: Sites
) -> PreviewDeploys:
    """Their deploys and their end."""
    return PreviewDeploys(
        store=adapters.store,
        apps=apps,
        imports=imports,
        release_commands=releasing.release_commands,
        reports=status_reports(adapters, sites),
        locks=adapters.locks,
        logs=adapters.logs,
        clock=adapters.clock,
    )


def image_imports(adapters: Adapters, imports: Imports, quotas: Quotas) -> ImageImports:
    """Deploys of images."""
    return ImageImports(
        store=adapters.store,
        repository=adapters.repository,
        engines=adapters.engines,
        slugs=adapters.slugs,
        source=adapters.image_source,
        imports=imports,
        quotas=quotas,
        domain=adapters.settings.domain,
    )


def cloning(adapters: Adapters, apps: Apps, deploying: Deploys) -> Cloning:
    """A new app like another."""
    return Cloning(
        store=adapters.store,
        repository=adapters.repository,
        apps=apps,
        deploys=deploying,
        locks=adapters.locks,
        clock=adapters.clock,
    )


def promotions(adapters: Adapters, deploying: Deploys, pipelines: Pipelines) -> Promotions:
    """From one app of a pipeline to the next."""
    return Promotions(
        store=adapters.store,
        pipelines=pipelines,
        deploys=deploying,
        copies=SlugCopies(
            store=adapters.store,
            slugs=adapters.slugs,
            maker=deploying.maker,
            clock=adapters.clock,
        ),
    )
