"""git:sync, git:from-archive"""

import os
import sys

import click

from paas.domain.git.sources import (
    STDIN,
    ArchiveType,
    archive_message,
    archive_url,
    git_source,
    is_ssh,
)
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import Session, app_option, pass_session
from paas.interfaces import Archive
from paas.services.deploys.imports import Building


@click.command("git:sync")
@click.argument("words", nargs=-1, metavar="[APP] URL [REF]")
@app_option
@click.option("--build", is_flag=True, help="Deploy the fetched commit.")
@click.option("--build-if-changes", is_flag=True, help="Deploy it unless it is already live.")
@pass_session
def sync(
    session: Session, words: tuple[str, ...], app: str | None, build: bool, build_if_changes: bool
) -> None:
    """Fetch a branch, tag or commit of another git repository.

    Without --build it is fetched and not deployed, as on Dokku.

    Example: paas git:sync --build shop https://github.com/heroku/python-getting-started.git
    """
    name, rest = _split(session, words, app)
    if len(rest) not in {1, 2}:
        raise usage_error("arguments", "git:sync takes [APP] URL [REF].")
    if build and build_if_changes:
        raise usage_error("arguments", "--build and --build-if-changes cannot be combined.")
    source = git_source(rest[0], rest[1] if len(rest) == 2 else None)
    building = Building.IF_CHANGED if build_if_changes else Building.NEVER
    building = Building.ALWAYS if build else building
    imports = session.services.imports
    imports.sync(session.actor, name, source, building, session.terminal)


@click.command("git:from-archive")
@click.argument("words", nargs=-1, metavar="[APP] URL|-")
@app_option
@click.option(
    "--archive-type",
    type=click.Choice([kind.value for kind in ArchiveType]),
    help="The archive's type; by default, any of these.",
)
@pass_session
def from_archive(
    session: Session, words: tuple[str, ...], app: str | None, archive_type: str | None
) -> None:
    """Deploy an archive (tar, tar.gz, zip) from a URL or from standard input.

    A single top-level folder is stripped. `--` also means standard input, as on Dokku.

    Example: git archive HEAD | paas git:from-archive -a shop -
    """
    name, rest = _split(session, words, app)
    if len(rest) > 1:
        raise usage_error("arguments", "git:from-archive takes [APP] and one URL, or - for stdin.")
    # click removes Dokku's --, so nothing is left.
    from_stdin = not rest or rest[0] in {STDIN, "--"}
    if from_stdin and os.isatty(0):
        raise usage_error(
            "no-archive",
            "There is no archive on standard input: it is a terminal.",
            "paas git:from-archive - < app.tar.gz, or: paas git:from-archive https://...",
        )
    services, user = session.services, session.actor.name
    url = None if from_stdin else archive_url(rest[0])
    archive = Archive(
        url or sys.stdin.buffer,
        ArchiveType(archive_type) if archive_type else None,
        author=f"{user} <{user}@{services.settings.domain}>",
        message=archive_message(url),
    )
    services.imports.unpack(session.actor, name, archive, session.terminal)


def _split(session: Session, words: tuple[str, ...], app: str | None) -> tuple[str, list[str]]:
    """The app and the words after it: it is the first, unless that is a URL or ``-``."""
    rest = list(words)
    named = None
    is_source = bool(rest) and ("://" in rest[0] or is_ssh(rest[0]) or rest[0] == STDIN)
    if rest and not is_source and (app is None or len(rest) > 1):
        named = rest.pop(0)
    return session.app_name(app, named), rest
