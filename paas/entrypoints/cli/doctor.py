"""doctor: finds problems of the server, each with a command that fixes it, and repairs them"""

from collections.abc import Sequence
from dataclasses import asdict

import click

from paas.domain.server.findings import FIX, Finding
from paas.domain.values.errors import EXIT_FAILED
from paas.entrypoints.cli import store, trash
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.terminal import print_json
from paas.services.access import require_admin


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Repair what can be repaired, and report the rest.")
@click.option("--empty-trash", is_flag=True, help="Delete the files in the trash for good.")
@click.option(
    "--restore-store", is_flag=True, help="Restore the newest intact copy of the database."
)
@click.option(
    "--adopt-store", is_flag=True, help="Accept a database that is older or another server's."
)
@json_option
@pass_session
def doctor(
    session: Session,
    fix: bool,
    empty_trash: bool,
    restore_store: bool,
    adopt_store: bool,
    as_json: bool,
) -> None:
    """Show problems of the server, each with the command that fixes it.

    Example: sudo paas doctor --fix
    """
    require_admin(session.actor, "examine and repair the server")
    if empty_trash:
        trash.empty(session)
    elif restore_store or adopt_store:
        (store.restore if restore_store else store.adopt)(session)
    elif fix:
        _fix(session, as_json)
    else:
        _look(session, as_json)


def _look(session: Session, as_json: bool) -> None:
    with session.terminal.doing("looking at the server and its apps"):
        found = session.services.doctor.look()
    if as_json:
        print_json({"findings": [asdict(finding) for finding in found], "lost": _lost(session)})
    else:
        print_findings(session, found)
        trash.show(session)
        if not found:
            session.terminal.step("Everything is as it should be")
        elif any(finding.mends for finding in found):
            session.terminal.detail(f"Nothing was changed. To repair what can be repaired: {FIX}")
    _end(session, found)


def repair(session: Session) -> None:
    """What the gate runs after a command was killed: doctor --fix without builds."""
    require_admin(session.actor, "examine and repair the server")
    _fix(session, as_json=False, rebuilds=False)


def _fix(session: Session, as_json: bool, *, rebuilds: bool = True) -> None:
    with session.terminal.doing("looking at the server and its apps"):
        outcome = session.services.doctor.fix(session.actor, session.terminal, rebuilds=rebuilds)
    if as_json:
        plain = {
            "mended": [asdict(finding) for finding in outcome.mended],
            "findings": [asdict(finding) for finding in outcome.left],
            "lost": _lost(session),
        }
        print_json(plain)
    else:
        for finding in outcome.mended:
            session.terminal.detail(f"Repaired: {finding.message}")
        print_findings(session, outcome.left)
        trash.show(session)
        count = max(outcome.count, len(outcome.mended))
        if count:
            session.terminal.step(f"Repaired {count}")
        elif not outcome.left and not outcome.failed:
            session.terminal.step("Everything is as it should be")
        if outcome.left:
            session.terminal.step(f"Not repaired automatically: {len(outcome.left)}, see above")
    _end(session, outcome.left)
    if outcome.failed:
        session.status = EXIT_FAILED


def print_findings(session: Session, findings: Sequence[Finding]) -> None:
    """Print each with its command, and for the store also its copies."""
    for finding in findings:
        fault = session.services.recovery.fault() if finding.check == "store" else None
        if fault is not None:
            store.print_fault(session, fault)
            continue
        session.terminal.warn(finding.message)
        session.terminal.detail(finding.command)


def _lost(session: Session) -> list[dict[str, object]]:
    return [trash.plain(item) for item in session.services.trash.listing()]


def _end(session: Session, findings: Sequence[Finding]) -> None:
    if any(finding.grave for finding in findings):
        session.status = EXIT_FAILED
