"""cron, cron:history, cron:run, cron:suspend, cron:resume; and the command of the scheduler"""

import os
from collections.abc import Sequence
from datetime import datetime

import click

from paas.domain.people.permissions import Permission
from paas.domain.runs.cron import DUE_COMMAND, Job, JobState
from paas.domain.runs.cron_history import PastRun
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.tables import list_options, print_table, wide_option
from paas.entrypoints.cli.terminal import print_json, print_line
from paas.entrypoints.cli.waiting import waiting
from paas.services.access import require_server
from paas.services.runs.cron import CronJobInfo


@click.command("cron")
@list_options
def listing(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """List an app's cron jobs, when each runs next, and how it last ended. Times are UTC.

    Example: paas cron -a shop
    """
    found = session.services.cron.listing(session.actor, session.app_name(app, name))
    if as_json:
        print_json([_plain(item) for item in found])
        return
    if not found:
        session.terminal.detail("No cron jobs. Declare them under cron in app.json, and push.")
        return
    print_table(
        ("Name", "Schedule", "Next run", "Last run", "Command"),
        [
            (
                item.job.name,
                item.job.schedule,
                f"{item.next:%Y-%m-%d %H:%M} UTC" if item.next else _why_not(item),
                _last(item),
                item.job.command,
            )
            for item in found
        ],
        optional=("Schedule", "Next run"),
    )
    for item in found:
        if item.state.missed and item.state.missed_at:
            times = f"{item.state.missed} time{'s' if item.state.missed > 1 else ''}"
            last = f"{item.state.missed_at:%Y-%m-%d %H:%M} UTC"
            session.terminal.warn(
                f"{item.job.name} was missed {times}, last at {last}: see paas logs"
            )


@click.command("cron:history")
@click.argument("words", nargs=-1, metavar="[APP] [JOB]")
@app_option
@click.option("-n", "--num", type=click.IntRange(1, 10_000), default=15, help="How many to show.")
@wide_option
@json_option
@pass_session
def history(
    session: Session, words: tuple[str, ...], app: str | None, num: int, as_json: bool
) -> None:
    """List the last runs of an app's cron jobs, or of one job. Times are UTC.

    Example: paas cron:history cleanup -a shop
    """
    if len(words) > 2:
        raise usage_error("arguments", "At most one job can be named.", "List them with: paas cron")
    name, jobs = _app_and_jobs(session, words, app)
    job = jobs[0] if jobs else None
    found = session.services.cron.history(session.actor, name, job)[:num]
    if as_json:
        print_json([_plain_run(run) for run in found])
        return
    if not found:
        session.terminal.detail("No cron job has run yet.")
    print_table(
        ("Job", "Started", "Took", "Result", "Release", "By"),
        [
            (
                run.job,
                f"{run.started:%Y-%m-%d %H:%M:%S}",
                f"{run.took.total_seconds():.1f} s" if run.took is not None else "-",
                run.result,
                f"v{run.version}",
                run.user,
            )
            for run in found
        ],
        optional=("By", "Release", "Took"),
        flexible="Result",
    )


@click.command("cron:run")
@click.argument("words", nargs=-1, required=True, metavar="[APP] JOB")
@app_option
@click.option(
    "--detach", is_flag=True, help="Run it in the background, with its output in the log."
)
@pass_session
def run(session: Session, words: tuple[str, ...], app: str | None, detach: bool) -> None:
    """Run a cron job now, regardless of its schedule, in your terminal.

    Example: paas cron:run cleanup
    """
    if len(words) > 2:
        raise usage_error("arguments", "At most one job can be named.", "List them with: paas cron")
    name = session.app_name(app, words[0] if len(words) == 2 else None)
    cron = session.services.cron
    if detach:
        started = cron.detach(session.actor, name, words[-1])
        session.terminal.step(f"Running {started.label} in the background")
        session.terminal.detail(f"See what it prints: paas logs --tail -a {name}")
        print_line(started.label)
        return
    terminal = None
    if os.isatty(0) and os.isatty(1):
        terminal = session.env.get("TERM", "")
    with waiting(session, name, Permission.OPERATE):
        session.status = cron.run(
            session.actor, name, words[-1], terminal, session.caller, session.terminal
        )


@click.command("cron:suspend")
@click.argument("words", nargs=-1, metavar="[APP] [JOB...]")
@app_option
@pass_session
def suspend(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Suspend cron jobs until cron:resume: those named, or all.

    Example: paas cron:suspend cleanup -a shop
    """
    _switch(session, words, app, suspended=True)


@click.command("cron:resume")
@click.argument("words", nargs=-1, metavar="[APP] [JOB...]")
@app_option
@pass_session
def resume(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Resume suspended cron jobs: those named, or all.

    Example: paas cron:resume cleanup -a shop
    """
    _switch(session, words, app, suspended=False)


def due(session: Session, words: Sequence[str]) -> None:
    """Run a job that is due; called by the scheduler."""
    require_server(session.actor)
    try:
        app_id, job, moment = words
        session.services.cron.start_due(int(app_id), job, datetime.fromisoformat(moment))
    except ValueError as error:
        raise usage_error("arguments", f"{DUE_COMMAND} APP-ID JOB TIME") from error


def _switch(session: Session, words: tuple[str, ...], app: str | None, *, suspended: bool) -> None:
    name, names = _app_and_jobs(session, words, app)
    jobs = session.services.cron.suspend(session.actor, name, names, suspended=suspended)
    word = "Suspended" if suspended else "Resumed"
    for job in jobs:
        session.terminal.step(f"{word} {job.name}")
    if not jobs:
        session.terminal.detail(f"{name} has no cron jobs.")


def _app_and_jobs(
    session: Session, words: tuple[str, ...], app: str | None
) -> tuple[str, tuple[str, ...]]:
    """The app, which comes first unless it is named otherwise, and the jobs."""
    if app is None and session.default_app is None:
        return session.app_name(None, words[0] if words else None), words[1:]
    name = session.app_name(app)
    return name, words[1:] if words[:1] == (name,) else words


def _why_not(item: CronJobInfo) -> str:
    return "suspended" if item.state.is_suspended(item.job) else "never"


def _last(item: CronJobInfo) -> str:
    if item.running:
        return f"running since {item.running[-1]:%Y-%m-%d %H:%M:%S} UTC"
    if item.state.started is None:
        return "-"
    return f"{item.state.started:%Y-%m-%d %H:%M} UTC: {_result(item.state)}"


def _result(state: JobState) -> str:
    if state.ended is None:
        return "no result"
    if state.status is None:
        return "interrupted"
    return "succeeded" if state.status == 0 else f"exit status {state.status}"


def _plain(item: CronJobInfo) -> dict[str, object]:
    state = item.state
    return {
        **_declared(item.job),
        "suspended": state.is_suspended(item.job),
        "next_run": _iso(item.next),
        "running_since": [since.isoformat() for since in item.running],
        "last_run": None
        if state.started is None
        else {
            "started": _iso(state.started),
            "ended": _iso(state.ended),
            "status": state.status,
            "user": state.user,
        },
        "missed": state.missed,
        "missed_at": _iso(state.missed_at),
    }


def _plain_run(run: PastRun) -> dict[str, object]:
    return {
        "name": run.job,
        "started": run.started.isoformat(),
        "ended": _iso(run.ended),
        "status": run.status,
        "result": run.result,
        "release": run.version,
        "user": run.user,
    }


def _declared(job: Job) -> dict[str, object]:
    return {
        "name": job.name,
        "schedule": job.schedule,
        "command": job.command,
        "concurrency_policy": job.policy,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
