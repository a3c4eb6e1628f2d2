"""releases, releases:info, releases:output, releases:retry, rollback, diff"""

import click

from paas.domain.people.permissions import Permission
from paas.domain.releases.diffs import Difference, Entry, NameChanges, config_rows, sections
from paas.domain.releases.history import is_version, parse_version
from paas.domain.values.errors import usage_error
from paas.domain.values.names import printable
from paas.domain.values.sizes import size_words
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import print_table, wide_option
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.services.releases.releases import ReleaseInfo


@click.command("releases")
@app_argument
@app_option
@click.option("-n", "--num", type=click.IntRange(1, 10_000), default=15, help="How many to show.")
@wide_option
@json_option
@pass_session
def listing(session: Session, name: str | None, app: str | None, num: int, as_json: bool) -> None:
    """List an app's releases, newest first.

    Example: paas releases -a shop
    """
    found = session.services.apps.find(
        session.actor, session.app_name(app, name), to=Permission.VIEW
    )
    rows = session.services.store.releases.of_app(found.id)[:num]
    if as_json:
        print_json(
            [
                {
                    "version": release.version,
                    "status": release.status.value,
                    "current": release.version == found.current,
                    "description": release.description,
                    "user": release.user,
                    "created_at": release.created_at.isoformat(),
                }
                for release in rows
            ]
        )
        return
    print_table(
        ("Release", "Status", "Description", "User", "Created"),
        [
            (
                f"v{release.version}",
                "current" if release.version == found.current else release.status.value,
                release.description,
                release.user,
                f"{release.created_at:%Y-%m-%d %H:%M:%S} UTC",
            )
            for release in rows
        ],
        optional=("User",),
        flexible="Description",
    )


@click.command("releases:info")
@click.argument("words", nargs=-1, metavar="[APP] [vN]")
@app_option
@json_option
@pass_session
def info(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Show a release, by default the latest: commit, user, time, config changes, processes.

    Example: paas releases:info v12
    """
    name, version = _one_version(session, words, app)
    found = session.services.releases.info(session.actor, name, version)
    if as_json:
        print_json(_plain_info(found))
        return
    release, slug = found.release, found.slug
    if slug is not None:
        slug_words = size_words(slug.size_bytes)
    else:
        slug_words = "pruned" if release.slug_id else "none"
    print_line(f"=== {found.app.name} v{release.version}")
    print_table(
        ("", ""),
        [
            ("Change:", release.description),
            ("Status:", "current" if found.is_current else release.status.value),
            ("By:", release.user),
            ("When:", f"{release.created_at:%Y-%m-%d %H:%M:%S} UTC"),
            ("Commit:", found.commit or "-"),
            ("Slug:", slug_words),
        ],
    )
    if found.config:
        print_line(f"=== Config vars, since {f'v{found.before}' if found.before else 'nothing'}")
        for row in config_rows(found.config):
            print_line(row)
    if slug is not None:
        print_line("=== Processes")
        for kind, command in sorted(slug.processes.items()):
            print_line(f"{kind}: {printable(command)}")


@click.command("releases:output")
@click.argument("words", nargs=-1, metavar="[APP] [vN]")
@app_option
@json_option
@pass_session
def output(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Print the output of a release's release command, by default of the latest.

    Example: paas releases:output v12
    """
    name, version = _one_version(session, words, app)
    release, lines = session.services.releases.output(session.actor, name, version)
    if as_json:
        print_json(lines)
        return
    if not lines:
        session.terminal.detail(
            f"v{release.version} has no output: no release command ran for it, or its output "
            "is no longer kept."
        )
    for line in lines:
        print_line(printable(line))


@click.command("releases:retry")
@app_argument
@app_option
@pass_session
def retry(session: Session, name: str | None, app: str | None) -> None:
    """Retry the latest failed release: the same code and config as a new release.

    Example: paas releases:retry -a shop
    """
    name = session.app_name(app, name)
    session.services.releases.retry(session.actor, name, session.terminal)


@click.command("rollback")
@click.argument("words", nargs=-1, metavar="[APP] [vN]")
@app_option
@pass_session
def rollback(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Restore code and config of a former release, by default of the one before the current.

    Example: paas rollback v12
    """
    name, version = _one_version(session, words, app)
    session.services.releases.rollback(session.actor, name, version, session.terminal)


@click.command("diff")
@click.argument("words", nargs=-1, metavar="[APP] [vA] [vB]")
@app_option
@json_option
@pass_session
def diff(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Show what differs between two releases: files, dependencies, config names, processes.

    By default it compares the current one with the one before; given one version, that with the
    current one.

    Example: paas diff v11 v12
    """
    named, versions = _versions(words, 2, app)
    old, new = [*versions, None, None][:2]
    found = session.services.diffs.between(session.actor, session.app_name(app, named), old, new)
    if as_json:
        print_json(plain_difference(found))
        return
    session.terminal.step(f"From {found.old} to {found.new}")
    for note in found.notes:
        session.terminal.warn(note)
    for title, rows in sections(found):
        print_line(f"=== {title}")
        for row in rows:
            print_line(row)
    if found.is_empty:
        session.terminal.detail("Nothing differs.")


def _one_version(
    session: Session, words: tuple[str, ...], app: str | None
) -> tuple[str, int | None]:
    """The app's name and the version from ``[APP] [vN]``."""
    named, versions = _versions(words, 1, app)
    return session.app_name(app, named), versions[0] if versions else None


def _versions(words: tuple[str, ...], most: int, app: str | None) -> tuple[str | None, list[int]]:
    """Tell the app, if it is named by position, from versions. An app may be called v5, too.

    app: from the option -a; then no word is an app.
    """
    app_first = bool(words) and (len(words) > most or not is_version(words[0]))
    app_first = app_first and app in {None, words[0]}
    versions = [parse_version(word) for word in words[1 if app_first else 0 :]]
    if len(versions) > most:
        raise usage_error(
            "arguments", f"At most {most} {'release' if most == 1 else 'releases'} can be named."
        )
    return words[0] if app_first else None, versions


def _plain_info(found: ReleaseInfo) -> dict[str, object]:
    release = found.release
    return {
        "version": release.version,
        "status": release.status.value,
        "current": found.is_current,
        "description": release.description,
        "user": release.user,
        "created_at": release.created_at.isoformat(),
        "commit": found.commit,
        "slug_size_bytes": found.slug.size_bytes if found.slug else None,
        "compared_to": found.before,
        "config": _plain_config(found.config),
        "processes": dict(found.slug.processes) if found.slug else None,
    }


def plain_difference(found: Difference) -> dict[str, object]:
    return {
        "from": found.old,
        "to": found.new,
        "files": [{"path": file.path, "change": file.change.name.lower()} for file in found.files],
        "dependencies": [_plain_entry(entry) for entry in found.dependencies],
        "config": _plain_config(found.config),
        "processes": [_plain_entry(entry) for entry in found.processes],
        "notes": list(found.notes),
    }


def _plain_entry(entry: Entry) -> dict[str, str | None]:
    return {"name": entry.name, "from": entry.old, "to": entry.new}


def _plain_config(config: NameChanges) -> dict[str, list[str]]:
    return {
        "added": list(config.added),
        "removed": list(config.removed),
        "changed": list(config.changed),
    }
