"""The second half of an installation, in the new version's venv: settings, files, services."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from paas import __version__
from paas.adapters.proxy.nginx.static_files import Modules, installed_modules
from paas.adapters.server import daemons
from paas.adapters.ssh import sshd_conf
from paas.adapters.system.files import make_directory, read_json, write_atomic
from paas.domain.routing.tcp_ports import NO_PORTS
from paas.domain.values.errors import PaasError, StoreLockedError
from paas.entrypoints.installer import packages, service, versions
from paas.entrypoints.installer.networks import app_network_options
from paas.entrypoints.installer.nginx_check import DEBIAN_DEFAULT_SITE, untouched_default_site
from paas.entrypoints.installer.nginx_connections import raised
from paas.entrypoints.installer.plan import InstallError, Plan
from paas.services.server.docker_use import refuse_removal
from paas.settings import Settings, load
from paas.store.creation import create_for_installation
from paas.wiring import machine
from paas.wiring.common import common_adapters

HEAD = """\
# The settings of this paas server; docs/reference/server.yml.md describes each. Your changes are
# kept when install.sh runs again, and take effect after: {install}
"""


def configure(plan: Plan, version: Path) -> Settings:
    """Write settings and files, make the version current, and start or reload services."""
    keep_docker(plan)
    write_settings(plan)
    settings = load(plan.paths.server_yml)
    daemons.make_directories(settings)
    with machine.root_record(settings).of("install.sh", __version__):
        return _set_up(plan, settings, version)


def _set_up(plan: Plan, settings: Settings, version: Path) -> Settings:
    is_new = not settings.paths.database.exists()
    create_for_installation(settings.paths.database, settings.paths.server_key)
    write_command(plan, settings)
    sshd_changed = write_sshd(settings)
    add_modules(plan, settings)
    proxy_changed = write_proxy(settings)
    versions.make_current(plan.paths, version)
    if is_new and (chosen := app_network_options(plan, settings)):
        write_settings(replace(plan, options={**plan.options, **chosen}))
        settings = load(plan.paths.server_yml)
    service.bring_up(settings, sshd_changed=sshd_changed, proxy_changed=proxy_changed)
    settings.paths.sshd_reload_mark.unlink(missing_ok=True)
    seal_secrets(settings)
    versions.prune(plan.paths)
    return settings


def keep_docker(plan: Plan) -> None:
    """Refuse to end the Docker engine that apps run on, before anything is changed."""
    if not plan.paths.server_yml.exists():
        return
    settings = load(plan.paths.server_yml)
    wanted = bool(plan.options.get("docker", settings.docker))
    if not wanted and settings.paths.docker.exists() and settings.paths.database.exists():
        create_for_installation(settings.paths.database, settings.paths.server_key)
        refuse_removal(common_adapters(settings).store)


def add_modules(plan: Plan, settings: Settings) -> None:
    """Install what the settings need of nginx beyond its own package."""
    if missing := missing_modules(settings, installed_modules()):
        if not plan.quiet:
            print(f"-----> Installing packages: {' '.join(missing)}", file=sys.stderr, flush=True)
        packages.install_packages(missing)


def missing_modules(settings: Settings, modules: Modules) -> list[str]:
    """The packages of modules without which nginx could not do what the settings allow."""
    wants_streams = settings.proxy == "nginx" and settings.tcp_ports != NO_PORTS
    return ["libnginx-mod-stream"] if wants_streams and not modules.stream else []


def seal_secrets(settings: Settings) -> None:
    """Seal secrets that a former version left in the clear in the database.

    If another program keeps it locked for too long, the monitor process does it within an hour.
    """
    try:
        common_adapters(settings).store.sealing.settle()
    except StoreLockedError:
        print(
            " !     Secrets in the database are not all sealed yet, since another program has "
            "kept it locked for too long. The server seals them within an hour.",
            file=sys.stderr,
        )


def write_settings(plan: Plan) -> None:
    """Create or update server.yml; the operator's own changes are kept.

    ``installed.json`` records what was written last: the operator has changed what differs from it.
    """
    path, record = plan.paths.server_yml, plan.paths.installed_record
    make_directory(plan.etc, mode=0o755)
    former = read_json(record) or {}
    present = yaml.safe_load(path.read_text()) if path.exists() else {}
    if not isinstance(present, dict):
        raise InstallError(f"{path} must be a mapping of settings.")
    defaults = {"domain": "localhost"} | ({"https_port": 0} if plan.embedded else {})
    ours: dict[str, Any] = (
        defaults | dict(plan.defaults) | former | _layout(plan) | dict(plan.options)
    )
    ours["build_env"] = dict(plan.machine)
    merged = merged_settings(present, former, ours) | dict(plan.options)
    if merged != present:
        text = HEAD.format(install=_again(plan)) + yaml.safe_dump(merged, sort_keys=False)
        write_atomic(path, text, mode=0o600)
    write_atomic(record, json.dumps(ours, indent=1), mode=0o600)


def _again(plan: Plan) -> str:
    return f"./install.sh --root {plan.root}" if plan.root else "./install.sh"


def merged_settings(
    present: Mapping[str, Any], former: Mapping[str, Any], ours: Mapping[str, Any]
) -> dict[str, Any]:
    """The new values of the file: ours, except where present differs from former."""
    merged: dict[str, Any] = {}
    for key in [*present, *(name for name in ours if name not in present)]:
        here, was, new = present.get(key), former.get(key), ours.get(key)
        if isinstance(here, dict) and isinstance(new, dict):
            merged[key] = merged_settings(here, was if isinstance(was, dict) else {}, new)
        elif here != was:
            if here is not None:
                merged[key] = here
        elif new is not None:
            merged[key] = new
    return merged


def _layout(plan: Plan) -> dict[str, Any]:
    """The settings that follow from where the server lives."""
    if not plan.embedded:
        ports = _sshd_ports()
        if plan.options.get("ssh_port", ports[0]) not in ports:
            wanted = plan.options["ssh_port"]
            raise InstallError(
                f"The system's sshd listens on port {ports[0]}, not {wanted}.",
                f"Add it to /etc/ssh/sshd_config first: Port {wanted}",
            )
        return {} if 22 in ports else {"ssh_port": ports[0]}
    return {
        "embedded": True,
        **{name: str(getattr(plan, name)) for name in ("etc", "state", "run", "opt")},
        "nginx_conf": str(plan.paths.nginx_conf),
        "nginx_http_conf": str(plan.paths.nginx_http_conf),
        "nginx_pid": str(plan.paths.nginx_pid),
    }


def _sshd_ports() -> list[int]:
    """The ports of the system's sshd, from its effective configuration."""
    make_directory(Path("/run/sshd"), mode=0o755)
    lines = packages.run(["/usr/sbin/sshd", "-T"]).splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("port ")]


def write_command(plan: Plan, settings: Settings) -> None:
    """Write the ``paas`` command, which names the gate's settings."""
    boot = (
        f"{settings.paths.current}/venv/bin/python -I -m paas.entrypoints.boot --etc {settings.etc}"
    )
    client = f"{settings.paths.current}/paas/entrypoints/client.py"
    text = f"""\
#!/bin/sh
# generated by paas, do not edit
case "${{1-}}" in
    server:start | server:stop) exec {boot} "${{1#server:}}" ;;
    server:status) [ -S {settings.paths.gate_socket} ] || exec {boot} status ;;
esac
exec /usr/bin/python3 -I -S {client} --paas-etc {settings.etc} "$@"
"""
    make_directory(plan.command.parent, mode=0o755)
    write_atomic(plan.command, text, mode=0o755)
    write_atomic(settings.paths.gate_address, f"{settings.paths.gate_socket}\n", mode=0o644)


def write_sshd(settings: Settings) -> bool:
    """Write sshd's file and host key, and the empty keys file; True if sshd must reload.

    The mark stays until it has reloaded, in case the installation is killed in between.
    """
    pending = settings.paths.sshd_reload_mark
    keys = settings.paths.authorized_keys
    if not keys.exists():
        write_atomic(keys, "", mode=0o640, owner=(0, daemons.account_gid(settings)))
    path, text = sshd_conf.SYSTEM_SNIPPET, sshd_conf.system(settings)
    if settings.embedded:
        path, text = settings.paths.sshd_config, sshd_conf.embedded(settings)
        key = sshd_conf.host_key(settings)
        if not key.exists():
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "paas", "-f", str(key)]
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    former = path.read_text() if path.exists() else None
    if former == text:
        return pending.exists()
    pending.touch()
    write_atomic(path, text, mode=0o644)
    argv = ["/usr/sbin/sshd", "-t", *(["-f", str(path)] if settings.embedded else [])]
    tested = subprocess.run(argv, capture_output=True, text=True, check=False)
    if tested.returncode:
        if former is None:
            path.unlink()
        else:
            write_atomic(path, former, mode=0o644)
        raise InstallError(f"sshd refuses its configuration:\n{tested.stderr}")
    return True


def write_proxy(settings: Settings) -> bool:
    """Write the proxy's shared files; True if nginx must reload. HAProxy does with sites' files.

    Raises PaasError, with the former files restored, if nginx refuses them.
    """
    proxy = machine.nginx(settings)
    former = {path: path.read_text() if path.exists() else None for path in proxy.shared_files()}
    conf = settings.nginx_conf.resolve()
    own = None if settings.embedded else conf.read_text()
    more = None if own is None else raised(own, settings.worker_connections)
    if own is not None and more is not None and more != own:
        former[conf] = own
        write_atomic(conf, more, mode=0o644)
    default_site = None if settings.embedded else set_default_site_aside(settings)
    proxy.prepare()
    try:
        machine.nginx_process(settings, service.RELOAD_LIMIT_S).test()
    except PaasError:
        for path, text in former.items():
            if text is None:
                path.unlink()
            else:
                write_atomic(path, text, mode=0o644)
        if default_site:
            DEBIAN_DEFAULT_SITE.symlink_to(default_site)
        raise
    if settings.proxy == "haproxy":
        machine.haproxy(settings).renew()
    files = proxy.shared_files()
    return more != own or any(former[path] != text for path, text in files.items())


def set_default_site_aside(settings: Settings) -> Path | None:
    """Disable Debian's welcome page on port 80: unknown hosts must get no answer.

    Only if nobody changed it; returns what the link pointed to.
    """
    available = untouched_default_site()
    if available is None:
        return None
    settings.paths.default_site_mark.touch()
    DEBIAN_DEFAULT_SITE.unlink()
    return available


def main(argv: list[str]) -> int:
    """``configure PLAN VERSION``, called by the first half."""
    plan = Plan.from_json(argv[0])
    try:
        configure(plan, Path(argv[1]))
    except (InstallError, PaasError) as error:
        message = error.report if isinstance(error, PaasError) else error.message
        print(f" !     {message}", file=sys.stderr)
        if error.hint:
            print(f" !     {error.hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
