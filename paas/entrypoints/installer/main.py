"""install.sh's command line and the order of its steps."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from paas import __version__
from paas.entrypoints.installer import (
    addresses,
    checks,
    demo,
    docker,
    machine,
    packages,
    ranges,
    slots,
    versions,
)
from paas.entrypoints.installer.install_lock import install_lock
from paas.entrypoints.installer.plan import InstallError, Plan
from paas.entrypoints.installer.uninstall import uninstall

EPILOG = """\
examples:
  ./install.sh --domain apps.example.com    install on this machine (ports 80 and 22)
  ./install.sh --root /srv/try --http-port 8080 --ssh-port 2222
                                            install a separate server in one directory
  ./install.sh --demo                       install, then push an example app and fetch it
  ./install.sh --docker                     the same with a Docker engine, or add one
  ./install.sh --uninstall                  remove it; with --purge also apps, settings and data
"""


def main(
    source: str,
    argv: Sequence[str],
    make_version: Callable[[Plan], Path] = versions.install_version,
) -> int:
    """Install, upgrade or uninstall; returns the exit status.

    make_version: makes the directory of the new version, not yet current.
    """
    os.umask(0o022)
    options = parser()
    arguments = options.parse_args(argv)
    if arguments.purge and not arguments.uninstall:
        options.error("--purge needs --uninstall")
    root = str(Path(arguments.root).resolve()) if arguments.root else None
    os.environ.update(machine.environment(os.environ))
    env, notes = machine.build_env(os.environ)
    plan = Plan(source, root, options_of(arguments), env, arguments.quiet)
    try:
        checks.require_root()
        with install_lock(root, _report_wait):
            if arguments.uninstall:
                uninstall(plan, purge=arguments.purge, progress=PrintedProgress(quiet=False))
            else:
                install(plan, notes, make_version, force=arguments.force, with_demo=arguments.demo)
    except InstallError as error:
        print(_indented(error.message), file=sys.stderr)
        if error.hint:
            print(_indented(error.hint), file=sys.stderr)
        return 1
    return 0


def _report_wait() -> None:
    print(
        " !     Another installation of this server is running; waiting until it ends.",
        file=sys.stderr,
    )


def parser() -> argparse.ArgumentParser:
    """Of install.sh's options."""
    made = argparse.ArgumentParser(
        prog="install.sh",
        description="Install paas on this machine, or upgrade it without stopping an app.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--domain", type=str.lower, help="apps answer at APP.DOMAIN (default: localhost)")
    add("--root", metavar="DIR", help="install a separate server in this directory")
    add("--http-port", type=_port, metavar="N", help="HTTP port (default: 80)")
    add("--https-port", type=_port, metavar="N", help="HTTPS port (default: 443)")
    add("--ssh-port", type=_port, metavar="N", help="SSH port (default: 22)")
    add("--uids", type=_range, metavar="A-B", help="uids for the apps")
    add("--app-ports", type=_range, metavar="A-B", help="ports on loopback for the apps")
    add("--service-ports", type=_range, metavar="A-B", help="ports on loopback for datastores")
    add(
        "--docker",
        action=argparse.BooleanOptionalAction,
        help="with a Docker engine, for images and Dockerfiles; --no-docker ends it",
    )
    add(
        "--https",
        action=argparse.BooleanOptionalAction,
        help="automatic certificates (Let's Encrypt) for every app; --no-https ends it",
    )
    add("--demo", action="store_true", help="then push an example app and fetch it")
    add("--force", action="store_true", help="continue although this system is not supported")
    add("--quiet", action="store_true", help="print only errors")
    add("--uninstall", action="store_true", help="stop and remove it; keep data and settings")
    add("--purge", action="store_true", help="with --uninstall: remove data and settings too")
    return made


def _port(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", text) is None or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535")
    return int(text)


def _range(text: str) -> list[int]:
    found = re.fullmatch(r"([0-9]{1,9})-([0-9]{1,9})", text)
    if found is None or not 0 < int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a range like 70000-99999")
    return [int(found[1]), int(found[2])]


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings from the command line, by their names in server.yml."""
    names = {"domain": "domain", "http_port": "http_port", "https_port": "https_port"}
    names |= {"ssh_port": "ssh_port", "uids": "uids", "app_ports": "ports"}
    names |= {"service_ports": "service_ports"}
    given = {setting: getattr(arguments, option) for option, setting in names.items()}
    given |= {"docker": arguments.docker, "auto_certificates": arguments.https}
    return {setting: value for setting, value in given.items() if value is not None}


class PrintedProgress:
    """Progress on stderr, in the platform's format."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def step(self, text: str) -> None:
        """Print the start of a step."""
        if not self._quiet:
            print(f"-----> {text}", file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """Print a detail of the step."""
        if not self._quiet:
            print(f"       {text}", file=sys.stderr, flush=True)


def install(
    plan: Plan,
    notes: Sequence[str],
    make_version: Callable[[Plan], Path],
    *,
    force: bool,
    with_demo: bool,
) -> None:
    """Check, then install or upgrade, then print what to do next."""
    progress = PrintedProgress(quiet=plan.quiet)
    if plan.embedded and not plan.installed:
        missing = [o for o in ("http_port", "ssh_port") if o not in plan.options]
        if missing:
            options = " and ".join("--" + o.replace("_", "-") for o in missing)
            raise InstallError(f"A server in its own directory also needs {options}.")
        if plan.options.get("auto_certificates") and "https_port" not in plan.options:
            raise InstallError("In a server in its own directory --https also needs --https-port.")
    checks.check(plan, force=force)
    upgrades = plan.installed
    progress.step(f"{'Upgrading' if upgrades else 'Installing'} paas in {plan.root or '/'}")
    for note in notes:
        progress.detail(note)
    if missing := packages.missing():
        progress.step("Installing packages: " + " ".join(missing))
        packages.install_packages(missing)
    if plan.options.get("docker") and not docker.has_docker():
        progress.step(f"Installing packages: {' '.join(docker.DOCKER_PACKAGES)}")
        docker.install_docker()
    packages.ensure_account()
    if plan.root:
        plan = _with_slot(plan, plan.root)
    progress.step("Making the server's virtual environment")
    version = make_version(plan)
    progress.step(
        "Starting the server" if not upgrades else "Restarting the gate; apps keep running"
    )
    _second_half(plan, version)
    if with_demo:
        demo.run_demo(plan, progress)
    elif not plan.quiet:
        print(_upgraded(plan) if upgrades else _next_commands(plan))


def _with_slot(plan: Plan, root: str) -> Plan:
    """The plan with uids and ports reserved for this server, unless others were chosen for it."""
    for directory in (Path(root), *Path(root).parents):
        if not directory.exists():
            directory.mkdir(parents=True, mode=0o755)
    others = ranges.others(plan).values()

    def is_usable(slot: int) -> bool:
        return not any(ranges.clashes(_of_slot(slot), theirs) for theirs in others)

    slot = slots.take(root, is_usable=is_usable)
    return replace(plan, defaults={name: list(own) for name, own in _of_slot(slot).items()})


def _of_slot(slot: int) -> dict[str, ranges.Range]:
    return {
        "uids": slots.uids(slot),
        "ports": slots.ports(slot),
        "service_ports": slots.service_ports(slot),
    }


def _second_half(plan: Plan, version: Path) -> None:
    python = str(version / "venv/bin/python")
    module = "paas.entrypoints.installer.configure"
    argv = [python, "-I", "-m", module, plan.to_json(), str(version)]
    if subprocess.run(argv, check=False).returncode:
        raise InstallError(
            "The installation is incomplete; the error above says why.",
            "Correct it, then run install.sh again.",
        )


def _next_commands(plan: Plan) -> str:
    server = demo.Server(plan)
    host = "YOUR-SERVER" if server.domain == "localhost" else server.domain
    hint = addresses.domain_hint(
        server.domain, addresses.public_address(), server.address_service, _command(plan)
    )
    return f"""
paas is installed. Continue with these three commands:

  {_command(plan)} keys:add YOU --admin < ~/.ssh/id_ed25519.pub
  git remote add deploy {server.git_url("hello", host)}
  git push deploy main

Your app then answers at {server.web_url("hello")}{hint}"""


def _upgraded(plan: Plan) -> str:
    return f"""
paas was upgraded to {__version__}; apps, settings and data are unchanged.

  {_command(plan)} server:status     show its state
  {_command(plan)} doctor            check it for problems"""


def _command(plan: Plan) -> str:
    return str(plan.command) if plan.embedded else "sudo paas"


def _indented(text: str) -> str:
    return "\n".join(f" !     {line}" for line in text.splitlines())
