"""git:deploy-on-push"""

import click

from paas.domain.git.previews import DEFAULT_LIFETIME
from paas.domain.git.webhooks import Webhook
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line


@click.command("git:deploy-on-push")
@app_argument
@app_option
@click.option("--from", "url", metavar="URL", help="The repository, by https or SSH.")
@click.option("--branch", metavar="BRANCH", help="Which of its branches; by default, main.")
@click.option("--pr-previews", is_flag=True, help="With --from: previews of pull requests, too.")
@click.option("--rotate", is_flag=True, help="Make a new secret.")
@click.option("--off", is_flag=True, help="Deploy by hand again.")
@json_option
@pass_session
def deploy_on_push(
    session: Session,
    name: str | None,
    app: str | None,
    url: str | None,
    branch: str | None,
    pr_previews: bool,
    rotate: bool,
    off: bool,
    as_json: bool,
) -> None:
    """Deploy a branch of a repository elsewhere whenever something is pushed to it.

    It prints the URL and the secret for the webhook of GitHub, GitLab, Gitea, Forgejo or
    Bitbucket. Without options it shows what is set up, and what became of the last push.

    Example: paas git:deploy-on-push -a shop --from https://github.com/acme/shop.git
    """
    name, service = session.app_name(app, name), session.services.deploy_on_push
    if (url is not None) + rotate + off > 1 or (
        url is None and (branch is not None or pr_previews)
    ):
        raise usage_error(
            "arguments",
            "--from (with --branch and --pr-previews), --rotate and --off exclude each other.",
            "paas git:deploy-on-push --from URL --branch main",
        )
    if off:
        service.turn_off(session.actor, name)
        session.terminal.step(f"{name} is no longer deployed on push")
    elif url is not None or rotate:
        if pr_previews and session.services.previews.listing(session.actor, name)[0] is None:
            session.services.previews.enable(session.actor, name, {}, DEFAULT_LIFETIME)
        webhook = (
            service.rotate(session.actor, name)
            if url is None
            else service.set_up(session.actor, name, url, branch or "main")
        )
        _print_new(session, name, webhook, as_json)
    else:
        _print(session, service.report(session.actor, name), as_json)


def _print_new(session: Session, name: str, webhook: Webhook, as_json: bool) -> None:
    """With the secret, this once."""
    url, secret = session.services.deploy_on_push.url(webhook), webhook.secret.reveal()
    if as_json:
        print_json({"url": url, "secret": secret, **_plain(webhook)})
        return
    source = webhook.source.url
    session.terminal.step(f"{name} is deployed when {webhook.branch} of {source} is pushed to")
    session.terminal.detail("Add a webhook for pushes there, sent as application/json, with this")
    session.terminal.detail("URL and this secret, which is not shown again:")
    print_line(url)
    print_line(secret)


def _print(session: Session, webhook: Webhook, as_json: bool) -> None:
    url = session.services.deploy_on_push.url(webhook)
    if as_json:
        print_json({"url": url, **_plain(webhook)})
        return
    rows = [
        ("Repository:", webhook.source.url),
        ("Branch:", str(webhook.branch)),
        ("As:", webhook.user or "root"),
        ("Webhook:", url),
        ("Last push:", _last(webhook)),
    ]
    print_table(("", ""), rows)


def _last(webhook: Webhook) -> str:
    last = webhook.last
    if last is None:
        return "none yet"
    result = last.result or "being deployed, or waiting"
    return f"{last.commit[:8]} from {last.forge}, {last.at:%Y-%m-%d %H:%M:%S} UTC: {result}"


def _plain(webhook: Webhook) -> dict[str, object]:
    last = webhook.last
    return {
        "repository": webhook.source.url,
        "branch": webhook.branch,
        "user": webhook.user or "root",
        "last": None
        if last is None
        else {
            "at": last.at.isoformat(),
            "from": last.forge,
            "commit": last.commit,
            "result": last.result or "waiting",
        },
    }
