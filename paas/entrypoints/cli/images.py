"""docker:report, build-args:set, :unset, build-secrets:set, :unset, ports:set, registry:login,
:logout, git:from-image and git:load-image
"""

import os
import re
import sys
from collections.abc import Sequence

import click

from paas.domain.builds.build_values import LOGIN_MAX_BYTES, RegistryLogin, ValueKind
from paas.domain.builds.images import image_reference, port_number, registry_host
from paas.domain.releases.artifacts import DOCKER
from paas.domain.releases.formation import WEB
from paas.domain.values.errors import usage_error
from paas.domain.values.names import assignment, printable, var_name
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json
from paas.services.builds.image_builds import ImageReport

AUTO = "auto"
_APP = re.compile(r"[a-z][a-z0-9-]*")


@click.command("docker:report")
@app_argument
@app_option
@json_option
@pass_session
def report(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show how an app's image is built, and the settings for it.

    Example: paas docker:report -a shop
    """
    name = session.app_name(app, name)
    found = session.services.image_builds.report(session.actor, name)
    if as_json:
        print_json(_plain(found))
        return
    rows = [
        ("Builder:", found.settings.builder),
        ("Dockerfile:", found.settings.dockerfile or "Dockerfile, or what heroku.yml names"),
        ("Stage:", found.settings.target or "the last, or what heroku.yml names"),
        ("Slugs run as:", "containers" if found.settings.engine == DOCKER else "processes"),
        ("Port:", str(found.port or "the one that the image exposes, or else 5000")),
        *(("Argument:", f"{key}={printable(arg.reveal())}") for key, arg in found.args.items()),
        *(("Secret:", key) for key in found.secrets),
        *(("Registry:", f"{host} as {user}") for host, user in found.logins),
        ("Live image:", found.image.id if found.image else "none"),
    ]
    print_table(("", ""), rows)


@click.command("build-args:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME=VALUE...")
@app_option
@pass_session
def set_args(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Set arguments for the ARG lines of the Dockerfile; their values stay in the image.

    Example: paas build-args:set NODE_ENV=production
    """
    _set_values(session, words, app, ValueKind.ARG)


@click.command("build-args:unset")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME...")
@app_option
@pass_session
def unset_args(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Remove build arguments.

    Example: paas build-args:unset NODE_ENV
    """
    _unset_values(session, words, app, ValueKind.ARG)


@click.command("build-secrets:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME=VALUE...")
@app_option
@pass_session
def set_secrets(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Set secrets for steps with RUN --mount=type=secret,id=NAME; the image keeps none.

    Example: paas build-secrets:set NPM_TOKEN=abc
    """
    _set_values(session, words, app, ValueKind.SECRET)


@click.command("build-secrets:unset")
@click.argument("words", nargs=-1, required=True, metavar="[APP] NAME...")
@app_option
@pass_session
def unset_secrets(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Remove build secrets.

    Example: paas build-secrets:unset NPM_TOKEN
    """
    _unset_values(session, words, app, ValueKind.SECRET)


@click.command("ports:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] web=PORT|auto")
@app_option
@pass_session
def set_port(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Choose the port on which web containers listen, from the next push on.

    auto: the only port that the image exposes, or else 5000. Containers get it as PORT.

    Example: paas ports:set web=8080
    """
    apps, pairs = [one for one in words if "=" not in one], [one for one in words if "=" in one]
    kind, _, text = "".join(pairs).partition("=")
    if len(pairs) != 1 or len(apps) > 1 or kind != WEB:
        raise usage_error(
            "arguments", "ports:set takes web=PORT or web=auto.", "paas ports:set web=8080"
        )
    name = session.app_name(app, apps[0] if apps else None)
    port = None if text == AUTO else port_number(text)
    session.services.image_builds.set_port(session.actor, name, port)
    where = f"port {port}" if port else "the port that its image exposes, or else 5000"
    session.terminal.step(f"From the next push on, containers of {name} must listen on {where}.")


@click.command("registry:login")
@click.argument("words", nargs=-1, required=True, metavar="[APP] HOST USER")
@app_option
@pass_session
def login(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Let builds fetch images as a user of a registry; the password comes from stdin.

    Example: paas registry:login ghcr.io alice < token.txt
    """
    name, (host, user) = _split(session, words, app, 2, "registry:login takes [APP] HOST USER.")
    registry_host(host)
    if sys.stdin.isatty():
        session.terminal.detail("Type the password, then Enter.")
    password = sys.stdin.readline(LOGIN_MAX_BYTES + 2).rstrip("\r\n")
    if not password:
        raise usage_error(
            "registry-login",
            "There is no password on standard input.",
            f"paas registry:login -a {name} {host} {user} < token.txt",
        )
    session.services.image_builds.login(
        session.actor, name, RegistryLogin(host, user, Secret(password))
    )
    session.terminal.step(f"From the next push on, {name} fetches images from {host} as {user}.")


@click.command("registry:logout")
@click.argument("words", nargs=-1, required=True, metavar="[APP] HOST")
@app_option
@pass_session
def logout(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Forget the login to a registry.

    Example: paas registry:logout ghcr.io
    """
    name, (host,) = _split(session, words, app, 1, "registry:logout takes [APP] HOST.")
    session.services.image_builds.logout(session.actor, name, host)
    session.terminal.step(f"{name} no longer has a login to {host}.")


@click.command("git:from-image")
@click.argument("words", nargs=-1, required=True, metavar="[APP] IMAGE")
@app_option
@pass_session
def from_image(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Deploy an image from a registry, by the current digest of its tag.

    It becomes a commit on the deploy branch, with a one-line Dockerfile, as on Dokku.

    Example: paas git:from-image shop ghcr.io/alice/shop:1.2
    """
    name, (image,) = _split(session, words, app, 1, "git:from-image takes [APP] IMAGE.")
    reference = image_reference(image)
    imports = session.services.image_imports
    imports.from_registry(session.actor, name, reference, session.terminal)


@click.command("git:load-image")
@app_argument
@app_option
@pass_session
def load_image(session: Session, name: str | None, app: str | None) -> None:
    """Deploy an image by docker save from standard input; no registry is needed.

    Example: docker save shop:1.2 | gzip | paas git:load-image -a shop
    """
    name = session.app_name(app, name)
    if os.isatty(0):
        raise usage_error(
            "no-archive",
            "There is no image on standard input: it is a terminal.",
            "docker save IMAGE | paas git:load-image -a shop",
        )
    session.services.image_imports.load(session.actor, name, sys.stdin.buffer, session.terminal)


def _set_values(session: Session, words: tuple[str, ...], app: str | None, kind: ValueKind) -> None:
    first_is_app = "=" not in words[0] and app in (None, words[0]) and len(words) > 1
    named = words[0] if first_is_app else None
    pairs = dict(assignment(word) for word in (words[1:] if named else words))
    name = session.app_name(app, named)
    session.services.image_builds.set_values(session.actor, name, kind, pairs)
    session.terminal.step(f"From the next push on, builds of {name} have {', '.join(pairs)}.")


def _unset_values(
    session: Session, words: tuple[str, ...], app: str | None, kind: ValueKind
) -> None:
    # Names are upper case by convention, app names lower case by rule.
    unnamed = app is None and session.default_app is None and len(words) > 1
    named = words[0] if unnamed and _APP.fullmatch(words[0]) else None
    names = [var_name(word) for word in (words[1:] if named else words)]
    name = session.app_name(app, named)
    session.services.image_builds.unset_values(session.actor, name, kind, names)
    gone = ", ".join(names)
    session.terminal.step(f"From the next push on, builds of {name} no longer have {gone}.")


def _split(
    session: Session, words: Sequence[str], app: str | None, count: int, usage: str
) -> tuple[str, list[str]]:
    """The app and the words after it, of which there must be exactly count."""
    if not count <= len(words) <= count + 1:
        raise usage_error("arguments", usage)
    named = words[0] if len(words) > count else None
    return session.app_name(app, named), list(words[-count:])


def _plain(found: ImageReport) -> dict[str, object]:
    """The report for JSON."""
    return {
        "builder": found.settings.builder,
        "dockerfile": found.settings.dockerfile,
        "target": found.settings.target,
        "engine": found.settings.engine,
        "port": found.port,
        "args": {name: arg.reveal() for name, arg in found.args.items()},
        "secrets": list(found.secrets),
        "registries": dict(found.logins),
        "image": found.image.id if found.image else None,
    }
