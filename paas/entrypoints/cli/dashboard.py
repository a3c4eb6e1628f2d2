"""dashboard:open, dashboard:close"""

import click

from paas.domain.people.sessions import LINK_LIFETIME
from paas.domain.values.errors import PaasError
from paas.entrypoints.cli.session import Session, pass_session
from paas.entrypoints.cli.terminal import print_line


@click.command("dashboard:open")
@pass_session
def open_link(session: Session) -> None:
    """Print a link that logs you in to the dashboard once, and open it in the browser.

    Example: paas dashboard:open
    """
    settings = session.services.settings
    if not settings.web:
        raise PaasError(
            "dashboard-off",
            "This server has no dashboard.",
            "An administrator can set web: true in server.yml and run install.sh again.",
        )
    secret = session.services.web_sessions.make_link(session.actor, session.origin)
    minutes = int(LINK_LIFETIME.total_seconds() // 60)
    session.terminal.detail(
        f"It works once, within {minutes} minutes. Anyone who opens it is logged in as you:"
    )
    print_line(f"{settings.web_url(settings.dashboard_host)}/login/{secret.reveal()}")


@click.command("dashboard:close")
@pass_session
def close(session: Session) -> None:
    """Log out of the dashboard in all browsers.

    Example: paas dashboard:close
    """
    count = session.services.web_sessions.close_all(session.actor)
    session.terminal.step(f"Logged out: {count} session{'' if count == 1 else 's'} ended")
