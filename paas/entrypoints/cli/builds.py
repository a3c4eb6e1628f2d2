"""builds, builds:info, builds:output, builds:cancel, builds:cache:purge"""

from collections.abc import Iterable

import click

from paas.domain.builds.builds import is_build
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import usage_error
from paas.domain.values.names import plain_output
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
from paas.entrypoints.cli.waiting import waiting
from paas.services.builds.builds import BuildInfo

BUILD_WORDS = "[APP] [BUILD]"


@click.command("builds")
@app_argument
@app_option
@click.option("-n", "--num", type=click.IntRange(1, 10_000), default=15, help="How many to show.")
@wide_option
@json_option
@pass_session
def listing(session: Session, name: str | None, app: str | None, num: int, as_json: bool) -> None:
    """List an app's builds, newest first, including those that are running or waiting.

    Example: paas builds -a shop
    """
    found = session.services.builds.listing(session.actor, session.app_name(app, name), num)
    if as_json:
        print_json([_plain(info) for info in found])
        return
    print_table(
        ("Build", "Status", "Commit", "Release", "User", "Created"),
        [
            (
                info.build.id,
                info.words,
                info.build.commit[:7],
                f"v{info.version}" if info.version else "-",
                info.build.user,
                f"{info.build.created_at:%Y-%m-%d %H:%M:%S} UTC",
            )
            for info in found
        ],
        optional=("User", "Commit"),
        flexible="Status",
    )


@click.command("builds:info")
@click.argument("words", nargs=-1, metavar=BUILD_WORDS)
@app_option
@json_option
@pass_session
def info(session: Session, words: tuple[str, ...], app: str | None, as_json: bool) -> None:
    """Show a build, by default the newest.

    BUILD: an id or its first digits, the first digits of a commit, or latest.

    Example: paas builds:info latest
    """
    name, wanted = _one_build(session, words, app)
    found = session.services.builds.info(session.actor, name, wanted)
    if as_json:
        print_json(_plain(found))
        return
    build = found.build
    print_line(f"=== {name} build {build.id}")
    rows = [
        ("Status:", found.words),
        ("Commit:", build.commit),
        ("By:", build.user),
        ("Begun:", f"{build.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Took:", _duration(found)),
        ("Release:", f"v{found.version}" if found.version else "none"),
    ]
    print_table(("", ""), rows)


@click.command("builds:output")
@click.argument("words", nargs=-1, metavar=BUILD_WORDS)
@app_option
@click.option("-t", "--tail", is_flag=True, help="Follow it until it is live or has failed.")
@json_option
@pass_session
def output(
    session: Session, words: tuple[str, ...], app: str | None, tail: bool, as_json: bool
) -> None:
    """Print the output of a build and its deploy, by default of the newest.

    Example: paas builds:output -t -a shop
    """
    name, wanted = _one_build(session, words, app)
    if tail:
        with waiting(session, name, Permission.VIEW) as stop:
            _build, lines = session.services.builds.output(session.actor, name, wanted, stop)
            _print_output(session, lines, as_json=as_json)
        return
    _build, lines = session.services.builds.output(session.actor, name, wanted, None)
    if as_json:
        print_json(list(lines))
    else:
        _print_output(session, lines, as_json=False)


def _print_output(session: Session, lines: Iterable[str], *, as_json: bool) -> None:
    is_empty = True
    for line in lines:
        is_empty = False
        if as_json:
            print_json(line)
        else:
            print_line(plain_output(line))
    if is_empty:
        session.terminal.detail("It printed nothing, or its output is no longer kept.")


@click.command("builds:cancel")
@click.argument("words", nargs=-1, metavar=BUILD_WORDS)
@app_option
@pass_session
def cancel(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Cancel a running or waiting build; its push is rejected, the old release stays live.

    Example: paas builds:cancel -a shop
    """
    name, wanted = _one_build(session, words, app)
    build = session.services.builds.cancel(session.actor, name, wanted, session.terminal)
    session.terminal.step(f"Cancelled: the push of {build.commit[:7]} by {build.user} is rejected")


@click.command("builds:cache:purge")
@app_argument
@app_option
@click.option("--confirm", metavar="NAME", help="The app's name, to confirm, as on Heroku.")
@pass_session
def purge_cache(session: Session, name: str | None, app: str | None, confirm: str | None) -> None:
    """Delete an app's build cache; the next build installs everything again.

    Example: paas builds:cache:purge -a shop
    """
    wanted = session.app_name(app, name)
    if confirm not in (None, wanted):
        raise usage_error("confirm", f"--confirm names {confirm}, but the app is {wanted}.")
    found, size_bytes = session.services.builds.purge_cache(session.actor, wanted, session.terminal)
    session.terminal.step(f"Purged the build cache of {found.name}: {size_words(size_bytes)}")


def _one_build(session: Session, words: tuple[str, ...], app: str | None) -> tuple[str, str | None]:
    """The app's name and the build of ``[APP] [BUILD]``: one word may be either."""
    if len(words) > 2:
        raise usage_error("arguments", "At most one app and one build can be named.")
    named, wanted = [*words, None, None][:2]
    if len(words) == 1 and words[0] and (is_build(words[0]) or app not in {None, words[0]}):
        named, wanted = None, words[0]
    return session.app_name(app, named), wanted


def _duration(found: BuildInfo) -> str:
    build = found.build
    if build.ended_at is None:
        return "-"
    return f"{(build.ended_at - build.created_at).total_seconds():.1f} s"


def _plain(found: BuildInfo) -> dict[str, object]:
    build = found.build
    return {
        "id": build.id,
        "status": build.status.value,
        "reason": build.reason,
        "place": found.place,
        "commit": build.commit,
        "release": found.version,
        "user": build.user,
        "created_at": build.created_at.isoformat(),
        "ended_at": build.ended_at.isoformat() if build.ended_at else None,
    }
