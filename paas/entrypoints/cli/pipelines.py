"""pipelines, pipelines:create, :add, :info, :remove, :destroy, :promote, :diff"""

from collections.abc import Callable
from typing import Any

import click

from paas.domain.releases.diffs import sections
from paas.domain.releases.pipelines import Pipeline, Stage, pipeline_name, stage_of
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.releases import plain_difference
from paas.entrypoints.cli.session import Session, app_option, json_option, pass_session
from paas.entrypoints.cli.tables import print_table
from paas.entrypoints.cli.terminal import print_json, print_line

_PIPELINE = click.argument("pipeline", metavar="PIPELINE")
_STAGE = click.option(
    "--stage", "-s", required=True, metavar="STAGE", help="development, staging, production."
)


def _to(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--to", "-t", metavar="APP,APP", help="Which apps; by default those of the next stage."
    )(command)


@click.command("pipelines")
@json_option
@pass_session
def listing(session: Session, as_json: bool) -> None:
    """List the pipelines that you own, and those of your apps.

    Example: paas pipelines
    """
    found = session.services.pipelines.listing(session.actor)
    if as_json:
        print_json([_plain(session, one) for one in found])
        return
    if not found:
        session.terminal.detail(
            "No pipelines. To create one: paas pipelines:create NAME -a APP --stage staging"
        )
    rows = [(one.name, one.owner or "-", ", ".join(_apps(session, one).values())) for one in found]
    print_table(("Pipeline", "Owner", "Apps"), rows, optional=("Owner",), flexible="Apps")


@click.command("pipelines:create")
@_PIPELINE
@app_option
@_STAGE
@pass_session
def create(session: Session, pipeline: str, app: str | None, stage: str) -> None:
    """Create a pipeline with a first app: stages between which code is promoted.

    Example: paas pipelines:create shop -a shop-staging --stage staging
    """
    name, at = pipeline_name(pipeline), stage_of(stage)
    first = session.app_name(app)
    session.services.pipelines.create(session.actor, name, first, at)
    session.terminal.step(f"Created the pipeline {name}: {first} is in {at}")
    session.terminal.detail(f"The next app: paas pipelines:add {name} -a APP --stage production")


@click.command("pipelines:add")
@_PIPELINE
@app_option
@_STAGE
@pass_session
def add(session: Session, pipeline: str, app: str | None, stage: str) -> None:
    """Add an app to a pipeline of yours, or give it another stage there.

    Example: paas pipelines:add shop -a shop --stage production
    """
    name, at = session.app_name(app), stage_of(stage)
    session.services.pipelines.add(session.actor, pipeline, name, at)
    session.terminal.step(f"{name} is in {at} of the pipeline {pipeline}")


@click.command("pipelines:info")
@_PIPELINE
@json_option
@pass_session
def info(session: Session, pipeline: str, as_json: bool) -> None:
    """Show the apps of a pipeline, by stage, and what each of them runs.

    Example: paas pipelines:info shop
    """
    found = session.services.pipelines.find(session.actor, pipeline)
    if as_json:
        print_json(_plain(session, found))
        return
    print_line(f"=== {found.name}")
    plain = _plain(session, found)["apps"]
    rows = [
        (
            str(one["stage"]),
            str(one["app"]),
            f"v{one['version']}" if one["version"] else "not deployed",
            str(one["commit"] or "-")[:8],
        )
        for one in sorted(plain, key=lambda one: list(Stage).index(one["stage"]))
    ]
    print_table(("Stage", "App", "Release", "Commit"), rows)


@click.command("pipelines:remove")
@app_option
@pass_session
def remove(session: Session, app: str | None) -> None:
    """Take an app out of its pipeline. It keeps running what it runs.

    Example: paas pipelines:remove -a shop-staging
    """
    name = session.app_name(app)
    pipeline, _ = session.services.pipelines.remove(session.actor, name)
    session.terminal.step(f"{name} no longer belongs to the pipeline {pipeline.name}")


@click.command("pipelines:destroy")
@_PIPELINE
@pass_session
def destroy(session: Session, pipeline: str) -> None:
    """Remove a pipeline of yours; its apps stay as they are.

    Example: paas pipelines:destroy shop
    """
    gone = session.services.pipelines.destroy(session.actor, pipeline)
    session.terminal.step(f"Removed the pipeline {gone.name}; its apps stay")


@click.command("pipelines:promote")
@app_option
@_to
@pass_session
def promote(session: Session, app: str | None, to: str | None) -> None:
    """Have the apps of the next stage run what an app runs now, without a build.

    Example: paas pipelines:promote -a shop-staging
    """
    name = session.app_name(app)
    session.services.promotions.promote(session.actor, name, _names(to), session.terminal)


@click.command("pipelines:diff")
@app_option
@_to
@json_option
@pass_session
def diff(session: Session, app: str | None, to: str | None, as_json: bool) -> None:
    """Show what the apps of the next stage would get by a promotion.

    Example: paas pipelines:diff -a shop-staging
    """
    name = session.app_name(app)
    every = session.services.pipelines.differences(session.actor, name, _names(to))
    if as_json:
        print_json([plain_difference(found) for found in every])
        return
    for found in every:
        print_line(f"=== From {found.old} to {found.new}")
        for note in found.notes:
            session.terminal.warn(note)
        for title, rows in sections(found):
            print_line(title)
            for row in rows:
                print_line(f"  {row}")
        if found.is_empty:
            session.terminal.detail("Nothing differs.")


def _names(to: str | None) -> list[str]:
    names = [] if to is None else [name for name in to.split(",") if name]
    if to is not None and not names:
        raise usage_error("arguments", "--to names no app.", "--to shop or --to shop,shop-eu")
    return names


def _apps(session: Session, pipeline: Pipeline) -> dict[int, str]:
    """The names of its apps with their stages, by id."""
    return {
        one.app_id: f"{session.services.pipelines.app(one).name} ({one.stage})"
        for one in pipeline.apps
    }


def _plain(session: Session, pipeline: Pipeline) -> dict[str, Any]:
    rows = []
    for one in pipeline.apps:
        app = session.services.pipelines.app(one)
        release = session.services.store.releases.current(app)
        commit = session.services.diffs.commit_of(release) if release is not None else None
        row = {"app": app.name, "stage": str(one.stage), "version": app.current, "commit": commit}
        rows.append(row)
    return {"name": pipeline.name, "owner": pipeline.owner, "apps": rows}
