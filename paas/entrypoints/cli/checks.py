"""checks:set, checks:report"""

from dataclasses import asdict

import click

from paas.domain.manifest.health import HealthCheck
from paas.domain.releases.formation import WEB
from paas.domain.values.errors import usage_error
from paas.entrypoints.cli.session import (
    Session,
    app_argument,
    app_option,
    json_option,
    pass_session,
)
from paas.entrypoints.cli.terminal import print_json, print_line

KEY = "start-limit"


@click.command("checks:set")
@click.argument("words", nargs=-1, required=True, metavar="[APP] start-limit [TIME]")
@app_option
@pass_session
def set_limit(session: Session, words: tuple[str, ...], app: str | None) -> None:
    """Set how long web instances may take to answer; without TIME, restore the default.

    Example: paas checks:set shop start-limit 180s
    """
    named = words[0] if words[0] != KEY else None
    rest = words[1:] if named is not None else words
    if not rest or rest[0] != KEY or len(rest) > 2:
        raise usage_error(
            "arguments",
            f"checks:set has one setting: {KEY}.",
            f"paas checks:set {KEY} 180s",
        )
    name = session.app_name(app, named)
    wanted = rest[1] if len(rest) == 2 else None
    limit = session.services.app_checks.set_start_limit(session.actor, name, wanted)
    session.terminal.step(
        f"From the next start on, web instances of {name} may take {limit.seconds:g} s to "
        f"answer ({limit.origin})."
    )


@click.command("checks:report")
@app_argument
@app_option
@json_option
@pass_session
def report(session: Session, name: str | None, app: str | None, as_json: bool) -> None:
    """Show how new instances of an app are checked: the start limit and the checks in app.json.

    Example: paas checks:report -a shop
    """
    found = session.services.app_checks.report(session.actor, session.app_name(app, name))
    limit = found.limit
    if as_json:
        print_json(
            {
                "start_limit_s": limit.seconds,
                "start_limit_origin": limit.origin,
                "max_start_limit_s": found.highest_s,
                "checks": {
                    kind: [asdict(check) for check in c] for kind, c in found.checks.items()
                },
            }
        )
        return
    print_line(f"Start limit: {limit.seconds:g} s ({limit.origin}), at most {found.highest_s:g} s")
    for kind, checks in found.checks.items():
        for check in checks:
            print_line(f"{kind}: {check.kind}: {_words(check)}")
    if not found.checks.get(WEB):
        print_line("web: any answer to GET / on its port is enough; app.json can require more")


def _words(check: HealthCheck) -> str:
    """What is checked, and how often."""
    if check.path is not None:
        what = f"GET {check.path}"
    else:
        what = (
            "its port accepts connections"
            if check.listening
            else f"it has run for {check.uptime_s} s"
        )
    tries = f"{check.attempts} attempts, {check.wait_s} s apart, {check.timeout_s} s each"
    return f"{what} ({check.name}; {tries}{'; a warning only' if check.warn else ''})"
