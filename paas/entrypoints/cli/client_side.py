"""open, init: commands that the client on a laptop runs itself"""

from urllib.parse import quote

import click

from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.terminal import print_json, print_line

_PATH_SAFE = "/?#[]@!$&'()*+,;=%:~-._"


@click.command("open")
@click.argument("words", nargs=-1, metavar="[APP] [PATH]")
@app_option
@json_option
@pass_session
def open_app(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Print an app's address; on a laptop, open it in the browser.

    Example: paas open /admin -a shop
    """
    path = words[-1] if words and words[-1].startswith("/") else ""
    named = words[:-1] if path else words
    if len(named) > 1:
        raise usage_error("arguments", "open takes an app and a path.", "paas open shop /admin")
    name = session.app_name(app, named[0] if named else None)
    address = session.services.apps.info(session.actor, name).url.rstrip("/")
    address += quote(path or "/", safe=_PATH_SAFE)
    if as_json:
        print_json({"url": address})
    else:
        print_line(address)


@click.command("init")
@app_option
@click.option("--force", is_flag=True, help="Overwrite an existing Procfile.")
def init(app: str | None, force: bool) -> None:  # noqa: ARG001 - read on a laptop
    """Write a Procfile for the app in the current folder; only on a laptop.

    Example: paas init
    """
    raise usage_error(
        "client-only",
        "init examines the current folder, so it runs on your own computer.",
        "Install paas there and run it in the app's folder: paas init",
    )
