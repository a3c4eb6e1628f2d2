"""backups:target, backups:key, backups:test"""

import sys

import click

from paas.domain.backups.targets import LocalTarget, Target, local_target, s3_target
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown
from paas.entrypoints.cli.session import Session, json_option, pass_session
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.backups.backups import BackupState

SECRET_MAX_BYTES = 1_024
_FORMS = "local, local DIR, or s3 BUCKET --endpoint URL --access-key KEY"


@click.command("backups:target")
@click.argument("words", nargs=-1, metavar="[local [DIR] | s3 BUCKET]")
@click.option("--endpoint", metavar="URL", help="The S3-compatible service; by default Amazon S3.")
@click.option("--region", metavar="REGION", help="By default us-east-1.")
@click.option("--prefix", metavar="PATH", help="The prefix of names in the bucket.")
@click.option("--access-key", metavar="KEY", help="The key's id; its secret is read from stdin.")
@json_option
@pass_session
def target(
    session: Session,
    words: tuple[str, ...],
    endpoint: str | None,
    region: str | None,
    prefix: str | None,
    access_key: str | None,
    as_json: bool,
) -> None:
    """Show or choose where backups go: a directory, or an S3-compatible bucket; for admins.

    Example: paas backups:target s3 my-backups --endpoint https://s3.example.com --access-key AKIA1
    """
    options = (endpoint, region, prefix, access_key)
    if words:
        session.services.backups.set_target(session.actor, _chosen(session, words, options))
    state = session.services.backups.state(session.actor)
    if as_json:
        print_json(_plain(state))
        return
    if words:
        session.terminal.step(f"Backups go to {state.target.words}; a test succeeded")
        session.terminal.detail("Earlier backups stay where they are.")
    else:
        print_line(f"Target: {state.target.words}")
        saved = f"confirmed {state.saved_at:%Y-%m-%d %H:%M} UTC" if state.saved_at else "not yet"
        print_line(f"Key:    {state.key_id}, saved elsewhere: {saved}")
    if isinstance(state.target, LocalTarget) and state.target.directory is None:
        session.terminal.warn("Backups that are only on this server's disk are lost with it.")
    if state.saved_at is None:
        session.terminal.warn("Save the key elsewhere: paas backups:key")


@click.command("backups:key")
@click.option("--confirm-saved", is_flag=True, help="A copy is kept elsewhere.")
@pass_session
def key(session: Session, confirm_saved: bool) -> None:
    """Print the key that decrypts the backups, to keep it elsewhere; for admins.

    Example: paas backups:key
    """
    if confirm_saved:
        session.services.backups.confirm_saved(session.actor)
        session.terminal.step("A copy of the key is kept elsewhere")
        return
    print_line(session.services.backups.key(session.actor).identity.reveal())
    session.terminal.detail("Keep it apart from the backups: without it they are lost. Then:")
    session.terminal.detail("paas backups:key --confirm-saved")


@click.command("backups:test")
@pass_session
def test(session: Session) -> None:
    """Test the backup target: write an object, read it back, delete it; for admins.

    Example: paas backups:test
    """
    with session.terminal.doing("testing the target"):
        found = session.services.backups.test(session.actor)
    session.terminal.step(f"An object was written to {found.words}, read back and deleted")


def _chosen(session: Session, words: tuple[str, ...], options: tuple[str | None, ...]) -> Target:
    endpoint, region, prefix, access_key = options
    if words[0] == "local" and len(words) <= 2 and not any(options):
        return local_target(words[1] if len(words) == 2 else None)
    if words[0] == "s3" and len(words) == 2 and access_key is not None:
        return s3_target(
            words[1],
            endpoint=endpoint,
            region=region,
            prefix=prefix,
            access_key=access_key,
            secret_key=_secret(session),
        )
    raise usage_error(
        "backup-target",
        f"{shown(' '.join(words))} is not a target; one is {_FORMS}.",
        "For example: paas backups:target s3 my-backups --endpoint https://s3.example.com "
        "--access-key AKIA1 < secret-key",
    )


def _secret(session: Session) -> str:
    if sys.stdin.isatty():
        session.terminal.detail("Type the secret of the access key, then Enter.")
    return sys.stdin.readline(SECRET_MAX_BYTES).rstrip("\r\n")


def _plain(state: BackupState) -> dict[str, object]:
    """The state as JSON, without secrets."""
    target = state.target
    known: dict[str, object]
    if isinstance(target, LocalTarget):
        known = {"kind": "local", "directory": str(target.directory) if target.directory else None}
    else:
        known = {
            "kind": "s3",
            "bucket": target.bucket,
            "endpoint": target.endpoint,
            "region": target.region,
            "prefix": target.prefix,
            "access_key": target.access_key,
        }
    saved = state.saved_at.isoformat() if state.saved_at else None
    return {"target": known, "key": state.key_id, "key_saved_at": saved}
