"""docker:runtime"""

import click

from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json

_MIB = 1024**2


@click.command("docker:runtime")
@click.option("--rebuild", is_flag=True, help="Build it again, with all updates.")
@json_option
@pass_session
def runtime(session: Session, rebuild: bool, as_json: bool) -> None:
    """Show the runtime image, on which slugs run in containers; --rebuild builds it again.

    Example: sudo paas docker:runtime --rebuild
    """
    images, actor = session.services.runtime_images, session.actor
    found = images.renew(actor, session.terminal) if rebuild else images.look(actor)
    if as_json:
        print_json(
            {
                "name": found.name if found else None,
                "id": found.id if found else None,
                "made_at": found.made_at.isoformat() if found else None,
                "size_bytes": found.size_bytes if found else None,
            }
        )
    elif found is None:
        session.terminal.step(
            "There is no runtime image yet: the first push that needs it builds it"
        )
    else:
        rows = [
            ("Image:", found.name),
            ("Id:", found.id),
            ("Made:", f"{found.made_at:%Y-%m-%d %H:%M} UTC"),
            ("Size:", f"{found.size_bytes / _MIB:.0f} MiB"),
        ]
        print_table(("", ""), rows)
