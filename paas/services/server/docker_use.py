"""What of the server needs the Docker engine."""

from paas.domain.releases.artifacts import CONTAINERS
from paas.domain.values.errors import PaasError
from paas.store import Store


def apps_on_docker(store: Store) -> list[str]:
    """The apps whose live release runs in containers, by name."""
    return sorted(str(app.name) for app in store.apps.all() if app.engine in CONTAINERS)


def refuse_removal(store: Store) -> None:
    """Raises PaasError while apps need the engine."""
    apps = apps_on_docker(store)
    if apps:
        raise PaasError(
            "docker-in-use",
            f"The Docker engine cannot be removed: {', '.join(apps)} "
            f"{'runs' if len(apps) == 1 else 'run'} in containers.",
            "Have them run as processes (paas builder:set buildpacks; paas builder:set engine "
            "native; then push), or destroy them. If server.yml has docker: false, change it back.",
        )
