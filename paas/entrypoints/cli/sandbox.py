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

NAMESPACES, READ_ONLY = "user-namespaces", "read-only"


@click.command("sandbox:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] SETTING=on|off")
@app_option
@pass_session
def set_sandbox(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Change what an app's processes may do. For admins.

    user-namespaces: create user namespaces, as Chromium's sandbox and bubblewrap do. read-only:
    containers write only to /app, /tmp and storage directories.

    Example: paas sandbox:set shop user-namespaces=on
    """
    named, rest = app_and_pairs(words)
    key, _, value = rest[0].partition("=") if len(rest) == 1 else ("", "", "")
    if key not in {NAMESPACES, READ_ONLY} or value not in {"on", "off"}:
        raise usage_error(
            "arguments",
            f"sandbox:set sets {NAMESPACES} or {READ_ONLY}, which are on or off.",
            f"paas sandbox:set {NAMESPACES}=on",
        )
    name, is_on = session.app_name(app, named), value == "on"
    sandbox = session.services.sandbox
    if key == NAMESPACES:
        sandbox.set_user_namespaces(session.actor, name, allowed=is_on)
        who, what = "Processes", "may" if is_on else "may not"
        what += " create user namespaces"
    else:
        sandbox.set_read_only(session.actor, name, read_only=is_on)
        who, what = "Containers", "can write "
        what += "only to /app, /tmp and storage directories" if is_on else "to all of their files"
    session.terminal.step(
        f"{who} of {name} that start from now on {what}. To restart its instances: "
        f"paas ps:restart -a {name}"
    )


@click.command("sandbox:report")
@app_argument
@app_option
@json_option
@pass_session
def report(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show what an app may do that others may not, or may not do.

    Example: paas sandbox:report -a shop
    """
    found = session.services.sandbox.settings(session.actor, session.app_name(app, name))
    if as_json:
        print_json({"user_namespaces": found.user_namespaces, "read_only": found.read_only})
        return
    for key, is_on in ((NAMESPACES, found.user_namespaces), (READ_ONLY, found.read_only)):
        print_line(f"{key}={'on' if is_on else 'off'}")
