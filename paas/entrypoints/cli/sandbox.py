"""sandbox:set, sandbox:report"""

import click

from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_and_pairs,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import print_json, print_line

KEY = "user-namespaces"


@click.command("sandbox:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] user-namespaces=on|off")
@app_option
@pass_session
def set_sandbox(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Let an app create user namespaces, as Chromium's sandbox and bubblewrap do. For admins.

    Example: paas sandbox:set shop user-namespaces=on
    """
    named, rest = app_and_pairs(words)
    key, _, value = rest[0].partition("=") if len(rest) == 1 else ("", "", "")
    if key != KEY or value not in {"on", "off"}:
        raise usage_error(
            "arguments",
            f"sandbox:set has one setting: {KEY}, which is on or off.",
            f"paas sandbox:set {KEY}=on",
        )
    name = session.app_name(app, named)
    session.services.sandbox.set_user_namespaces(session.actor, name, allowed=value == "on")
    session.terminal.step(
        f"Processes of {name} that start from now on {'may' if value == 'on' else 'may not'} "
        f"create user namespaces. To restart its instances: paas ps:restart -a {name}"
    )


@click.command("sandbox:report")
@app_argument
@app_option
@json_option
@pass_session
def report(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show what an app may do that others may not.

    Example: paas sandbox:report -a shop
    """
    allowed = session.services.sandbox.has_user_namespaces(
        session.actor, session.app_name(app, name)
    )
    if as_json:
        print_json({"user_namespaces": allowed})
    else:
        print_line(f"{KEY}={'on' if allowed else 'off'}")
