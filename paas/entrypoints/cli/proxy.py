"""proxy, proxy:set"""

import click

from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.terminal import print_json, print_line


@click.command("proxy")
@json_option
@pass_session
def report(session: Session, as_json: bool) -> None:
    """Show which proxy serves all apps.

    Example: sudo paas proxy
    """
    proxies = session.services.proxies
    kind = proxies.kind(session.actor)
    losses = proxies.losses(session.actor, kind)
    if as_json:
        print_json({"proxy": kind, "kinds": list(proxies.kinds()), "cannot": losses})
        return
    print_line(kind)
    for line in losses:
        session.terminal.warn(line)


@click.command("proxy:set")
@click.argument("kind", metavar="nginx|haproxy")
@pass_session
def set_kind(session: Session, kind: str) -> None:
    """Change the proxy of all apps: nginx or haproxy.

    Example: sudo paas proxy:set haproxy
    """
    proxies = session.services.proxies
    if not proxies.set(session.actor, kind, session.terminal):
        session.terminal.detail(f"The proxy is already {kind}.")
        return
    session.terminal.step(f"All apps are served by {kind}")
    session.terminal.live()
    proxies.stop_former()
