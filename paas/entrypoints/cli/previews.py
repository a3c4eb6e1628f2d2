"""previews, previews:enable, :disable, :create, :destroy"""

from contextlib import suppress

import click

from paas.domain.audit.events import DONE, Attempt, Subject, end_of
from paas.domain.git.previews import (
    DEFAULT_LIFETIME,
    LIFETIME_MAX,
    PreviewOf,
    PreviewSettings,
    pull_request_number,
)
from paas.domain.people.expiry import parse_lifetime
from paas.domain.values.errors import PaasError
from paas.domain.values.names import PLATFORM_USER, assignment, branch_name
from paas.domain.values.secret import Secret
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.access import require_server
from paas.services.git.previews import PreviewReport

_NUMBER = click.option("--pr", "number", type=int, metavar="N", help="Of the pull request.")
_BRANCH = click.argument("branch", metavar="BRANCH")


@click.command("previews")
@app_argument
@app_option
@json_option
@pass_session
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's previews, and how they are made.

    Example: paas previews -a shop
    """
    name = session.app_name(app, name)
    settings, found = session.services.previews.listing(session.actor, name)
    if as_json:
        print_json({"enabled": settings is not None, "previews": [_plain(one) for one in found]})
        return
    print_line(_words(settings, name))
    rows = [
        (one.app.name, str(one.preview.of), one.preview.result or "waiting, or being deployed")
        for one in found
    ]
    print_table(("App", "Of", "Last deploy"), rows, flexible="Last deploy")


@click.command("previews:enable")
@app_argument
@app_option
@click.option("--config", "pairs", multiple=True, metavar="NAME=VALUE", help="Set in each.")
@click.option("--expires", metavar="TIME", help="Remove one that long after its last deploy.")
@pass_session
def enable(
    session: Session, name: str | None, app: str | None, pairs: tuple[str, ...], expires: str | None
) -> None:
    """Allow previews of an app: apps of their own for pull requests and branches.

    Example: paas previews:enable shop --config MAIL=off --expires 7d
    """
    name = session.app_name(app, name)
    config = {var: Secret(value) for var, value in map(assignment, pairs)}
    lifetime = DEFAULT_LIFETIME if expires is None else parse_lifetime(expires, LIFETIME_MAX)
    made = session.services.previews.enable(session.actor, name, config, lifetime)
    session.terminal.step(_words(made, name))
    session.terminal.detail("For pull requests to get one, have the webhook of git:deploy-on-push")
    session.terminal.detail("sent for pull requests, too; or: paas previews:create BRANCH")


@click.command("previews:disable")
@app_argument
@app_option
@pass_session
def disable(session: Session, name: str | None, app: str | None) -> None:
    """Make no further previews of an app. Those that there are stay until their end.

    Example: paas previews:disable shop
    """
    name = session.app_name(app, name)
    left = session.services.previews.disable(session.actor, name)
    session.terminal.step(f"{name} gets no further previews")
    if left:
        session.terminal.detail(f"{left} stay until they are closed or expire: paas previews")


@click.command("previews:create")
@_BRANCH
@app_option
@_NUMBER
@json_option
@pass_session
def create(
    session: Session, branch: str, app: str | None, number: int | None, as_json: bool
) -> None:
    """Create the preview of a branch or pull request, or deploy it again.

    Its code is fetched from the repository of git:deploy-on-push. Without one, push it.

    Example: paas previews:create -a shop topic
    """
    name, of = session.app_name(app), _of(branch, number)
    services = session.services
    found = services.previews.want(session.actor, name, of)
    source = services.preview_deploys.source(found.preview)
    if as_json:
        print_json(_plain(found))
    else:
        session.terminal.step(f"{found.app.name} is the preview of {of}: {found.url}")
        if source is None:
            git_url = services.addresses.git_url(found.app.name)
            session.terminal.detail(f"To deploy it: git push {git_url} {branch}:main")
    services.preview_deploys.deploy_wanted(session.actor, found.app.id, session.terminal)


@click.command("previews:destroy")
@_BRANCH
@app_option
@_NUMBER
@pass_session
def destroy(session: Session, branch: str, app: str | None, number: int | None) -> None:
    """Remove the preview of a branch or pull request, with its datastores.

    Example: paas previews:destroy -a shop topic
    """
    name, of = session.app_name(app), _of(branch, number)
    preview = session.services.previews.find(session.actor, name, of)
    why = f"{session.actor.name} removed it"
    if session.services.preview_deploys.remove(preview, why, session.terminal):
        session.terminal.step(f"Removed the preview of {of}")
    else:
        session.terminal.warn(f"The preview of {of} is being deployed again, so it stays.")


def expire(session: Session) -> None:
    """Remove those whose time is up; for the monitor."""
    require_server(session.actor)
    services = session.services
    for app, preview, why in services.preview_deploys.due():
        attempt = Attempt(
            user=PLATFORM_USER,
            via="expiry",
            address=None,
            subject=Subject(app.name, app.id),
            command="previews:destroy",
            words=(preview.of.branch,),
        )
        begun = services.audit.begin(attempt)
        end = DONE
        try:
            services.preview_deploys.remove(preview, why, session.terminal)
        except PaasError as error:
            end = end_of(error)
            services.logs.write(app.id, "previews", f"Not removed: {error.summary}")
        with suppress(PaasError):
            services.audit.end(begun, end)


def _of(branch: str, number: int | None) -> PreviewOf:
    return PreviewOf(branch_name(branch), None if number is None else pull_request_number(number))


def _words(settings: PreviewSettings | None, name: str) -> str:
    if settings is None:
        return f"{name} has no previews enabled: paas previews:enable {name}"
    hours = int(settings.lifetime.total_seconds() // 3600)
    time = f"{hours // 24} days" if hours % 24 == 0 else f"{hours} hours"
    names = ", ".join(settings.config)
    return f"Previews of {name} expire {time} after their last deploy" + (
        f", and have {names} set" if names else ""
    )


def _plain(found: PreviewReport) -> dict[str, object]:
    one = found.preview
    return {
        "app": found.app.name,
        "url": found.url,
        "branch": one.of.branch,
        "pull_request": one.of.pull_request,
        "commit": one.commit or None,
        "result": one.result or None,
        "created_at": found.app.created_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
    }
