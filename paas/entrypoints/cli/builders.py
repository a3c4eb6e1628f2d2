"""builder:set: the builder of an app, and what it builds of the repository"""

import click

from paas.domain.builds.builders import BuilderName
from paas.domain.releases.artifacts import DOCKER
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import Session, app_option, pass_session

KEYS = ("build-dir", "dockerfile-path", "docker-target", "engine")
_WORDS = (*BuilderName, *KEYS)


@click.command("builder:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] BUILDER|KEY [VALUE]")
@app_option
@pass_session
def builder_set(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Choose how the app is built, from the next push on.

    \b
    auto               by the commit: heroku.yml, else a buildpack that fits, else Dockerfile
    buildpacks         buildpacks, even if there is a Dockerfile
    dockerfile         the Dockerfile, with Docker
    build-dir          the folder of a monorepo to build; without one, all of it
    dockerfile-path    the Dockerfile in that folder
    docker-target      the stage of the Dockerfile; without one, the last
    engine             docker: what buildpacks make runs in containers; native: as processes

    Example: paas builder:set shop build-dir services/shop
    """
    named = words[0] if words[0] not in _WORDS else None
    rest = words[1:] if named is not None else words
    if not rest or rest[0] not in _WORDS or len(rest) > (2 if rest[0] in KEYS else 1):
        raise usage_error(
            "arguments",
            f"builder:set takes {', '.join(BuilderName)}, or one of these and its value: "
            f"{', '.join(KEYS)}.",
            "paas builder:set dockerfile; or: paas builder:set build-dir services/web",
        )
    name = session.app_name(app, named)
    text = _set(session, name, rest[0], rest[1] if len(rest) == 2 else None)
    session.terminal.step(f"From the next push on, {name} is built {text}.")


def _set(session: Session, name: str, key: str, value: str | None) -> str:
    """Set it; returns the end of a sentence that says what applies now."""
    builds, actor = session.services.image_builds, session.actor
    if key == "build-dir":
        folder = session.services.buildpacks.set_build_dir(actor, name, value)
        return f"from the folder {folder}" if folder else "from the whole repository"
    if key == "dockerfile-path":
        path = builds.set_dockerfile(actor, name, value)
        return f"from {path}, if it is built from a Dockerfile" if path else "from Dockerfile again"
    if key == "docker-target":
        stage = builds.set_target(actor, name, value)
        return f"up to the stage {stage}" if stage else "up to the last stage"
    if key == "engine":
        engine = builds.set_engine(actor, name, value)
        return f"to run {'in containers' if engine == DOCKER else 'as processes of the server'}"
    builder = builds.set_builder(actor, name, key)
    if builder is BuilderName.AUTO:
        return "as the commit says"
    return "with buildpacks" if builder is BuilderName.BUILDPACKS else "from its Dockerfile"
