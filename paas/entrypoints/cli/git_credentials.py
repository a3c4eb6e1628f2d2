"""git:deploy-key, git:auth"""

import sys

import click

from paas.domain.git.credentials import TOKEN_MAX, host_token
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


@click.command("git:deploy-key")
@app_argument
@app_option
@click.option("--rotate", is_flag=True, help="Replace the key by a new one.")
@click.option("--remove", is_flag=True, help="Forget the key.")
@click.option("--forget-host", metavar="HOST", help="Accept the next key of that SSH server.")
@json_option
@pass_session
def deploy_key(
    session: Session,
    name: str | None,
    app: str | None,
    rotate: bool,
    remove: bool,
    forget_host: str | None,
    as_json: bool,
) -> None:
    """Show the public half of an app's SSH key for private repositories; made if it has none.

    Example: paas git:deploy-key -a shop
    """
    name, credentials = session.app_name(app, name), session.services.git_credentials
    if rotate + remove + (forget_host is not None) > 1:
        raise usage_error("arguments", "--rotate, --remove and --forget-host exclude each other.")
    if remove:
        credentials.remove_key(session.actor, name)
        session.terminal.step(f"{name} no longer has a deploy key")
        return
    if forget_host is not None:
        forgotten = credentials.forget_host(session.actor, name, forget_host)
        session.terminal.step(f"Forgot the host key {forgotten.fingerprint} of {forgotten.host}")
        return
    report = credentials.deploy_key(session.actor, name, rotate=rotate)
    if as_json:
        hosts = {key.host: key.fingerprint for key in report.hosts}
        print_json({"public_key": report.public, "made": report.made, "hosts": hosts})
        return
    if report.made:
        session.terminal.step(f"Made a deploy key for {name}")
        session.terminal.detail("Add it to the repository as a deploy key; reading is enough:")
    print_line(report.public)
    for key in report.hosts:
        session.terminal.detail(f"Known host: {key.host} {key.fingerprint}")


@click.command("git:auth")
@click.argument("host", required=False)
@app_option
@click.option("--user", metavar="USER", help="The user beside the token; most servers ignore it.")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@click.option("--remove", is_flag=True, help="Forget the token.")
@json_option
@pass_session
def auth(
    session: Session,
    host: str | None,
    app: str | None,
    user: str | None,
    token_stdin: bool,
    remove: bool,
    as_json: bool,
) -> None:
    """Let an app fetch private repositories of a host with a token; without HOST, list them.

    Example: paas git:auth github.com --token-stdin -a shop < token.txt
    """
    name, credentials = session.app_name(app), session.services.git_credentials
    if host is None:
        if user or token_stdin or remove:
            raise usage_error("arguments", "No host was named.", "paas git:auth github.com ...")
        _list(session, credentials.tokens(session.actor, name), as_json)
    elif remove:
        credentials.remove_token(session.actor, name, host)
        session.terminal.step(f"{name} no longer has a token for {host}")
    else:
        token = host_token(host, user, _read(session, host, from_stdin=token_stdin))
        credentials.set_token(session.actor, name, token)
        session.terminal.step(f"{name} fetches from {token.host} with the token from now on")


def _list(session: Session, found: list[tuple[str, str]], as_json: bool) -> None:
    if as_json:
        print_json([{"host": host, "user": user} for host, user in found])
        return
    if not found:
        session.terminal.detail("No tokens. To set one:")
        session.terminal.detail("paas git:auth github.com --token-stdin < token.txt")
    print_table(("Host", "User"), found)


def _read(session: Session, host: str, *, from_stdin: bool) -> str:
    if not from_stdin:
        raise usage_error(
            "git-auth",
            "The token is read from standard input only, so that no list of processes shows it.",
            f"paas git:auth {host} --token-stdin < token.txt",
        )
    if sys.stdin.isatty():
        session.terminal.detail("Type the token, then Enter.")
    return sys.stdin.readline(TOKEN_MAX + 2).rstrip("\r\n")
