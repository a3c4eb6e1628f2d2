"""apps:clone"""

import click

from paas.domain.values.errors import usage_error
from paas.domain.values.names import app_name
from paas.entrypoints.cli.session import Session, app_option, pass_session


@click.command("apps:clone")
@click.argument("names", nargs=-1, required=True, metavar="[OLD] NEW")
@app_option
@click.option("--skip-deploy", is_flag=True, help="Do not build and start it.")
@pass_session
def clone(session: Session, names: tuple[str, ...], app: str | None, skip_deploy: bool) -> None:
    """Make a second app with the repository, config and settings of a first.

    Example: paas apps:clone shop shop-staging
    """
    if len(names) > 2:
        raise usage_error("arguments", "apps:clone takes the old name and the new.")
    old = session.app_name(app, names[0] if len(names) == 2 else None)
    new = app_name(names[-1])
    session.platform.cloning.clone(
        session.actor, old, new, session.say, session.done, deploy=not skip_deploy
    )
