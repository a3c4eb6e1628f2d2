"""app.json: what an app asks from the platform; Heroku's schema with Dokku's additions.

https://devcenter.heroku.com/articles/app-json-schema
https://dokku.com/docs/appendices/file-formats/app-json/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from paas.domain.builds.buildpacks import LIST_MAX, OWN, Buildpack, Kind, buildpack
from paas.domain.manifest.appjson_checks import check_list
from paas.domain.manifest.appjson_reader import Node, read_app_json
from paas.domain.manifest.health import Checks
from paas.domain.manifest.procfile import COMMAND_MAX_BYTES
from paas.domain.releases.start_limits import parse_seconds
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType, VarName, process_type, var_name, var_value

APP_JSON_MAX_BYTES = 65_536
QUANTITY_MAX = 100
ADDONS_MAX = 20

# What is for people, or for other platforms: accepted silently.
_IGNORED = frozenset(
    {"name", "description", "keywords", "website", "repository", "logo", "success_url", "image"}
) | {"stack", "environments", "$schema"}
_POLICIES = ("allow", "forbid", "replace")


@dataclass(frozen=True, slots=True)
class EnvVar:
    """A config var that the app declares. generated: a secret, generated if it has no value."""

    name: VarName
    value: str | None
    generated: bool
    required: bool


@dataclass(frozen=True, slots=True)
class CronJob:
    """A scheduled command. schedule: five fields; policy: of two runs at once.

    maintenance: whether it is suspended. position: of the schedule, for messages.
    """

    command: str
    schedule: str
    policy: str
    maintenance: bool
    name: str | None = None
    position: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Addon:
    """Something that the app needs beside it, a datastore for example.

    order: what it is, ``heroku-postgresql:essential-0``. wanted: its attachment's name, if it is to
    have a certain one. version: of its server. position: for messages.
    """

    order: str
    wanted: str | None = None
    version: str | None = None
    position: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppJson:
    """A whole app.json. warnings: sentences for the pusher.

    first_deploy: scripts.postdeploy. predestroy: scripts.pr-predestroy.
    """

    env: tuple[EnvVar, ...] = ()
    formation: Mapping[ProcessType, int] = field(default_factory=dict)
    checks: Checks = field(default_factory=dict)
    predeploy: str | None = None
    postdeploy: str | None = None
    first_deploy: str | None = None
    predestroy: str | None = None
    cron: tuple[CronJob, ...] = ()
    start_limit_s: int | None = None
    buildpacks: tuple[Buildpack, ...] = ()
    addons: tuple[Addon, ...] = ()
    warnings: tuple[str, ...] = ()


@lru_cache(maxsize=16)
def parse_app_json(content: bytes) -> AppJson:
    """Parse an app.json. Raises PaasError with line and column; unknown keys are warnings."""
    root, warnings = read_app_json(content)
    found = root.members(
        *("env", "formation", "healthchecks", "start_limit", "scripts", "cron", "buildpacks"),
        "addons",
        also=_IGNORED,
    )
    scripts = (
        found["scripts"].members("dokku", "postdeploy", "pr-predestroy")
        if "scripts" in found
        else {}
    )
    dokku = scripts["dokku"].members("predeploy", "postdeploy") if "dokku" in scripts else {}
    return AppJson(
        env=tuple(_env(name, node) for name, node in _entries(found, "env")),
        formation={
            _type(name, node): quantity
            for name, node in _entries(found, "formation")
            if (quantity := _quantity(node)) is not None
        },
        checks={
            _type(name, node): check_list(name, node)
            for name, node in _entries(found, "healthchecks")
        },
        predeploy=_command(dokku.get("predeploy")),
        postdeploy=_command(dokku.get("postdeploy")),
        first_deploy=_command(scripts.get("postdeploy")),
        predestroy=_command(scripts.get("pr-predestroy")),
        cron=tuple(_cron(node) for node in found["cron"].items()) if "cron" in found else (),
        start_limit_s=_seconds(found["start_limit"]) if "start_limit" in found else None,
        buildpacks=_buildpacks(found["buildpacks"]) if "buildpacks" in found else (),
        addons=_addons(found["addons"]) if "addons" in found else (),
        warnings=tuple(warnings),
    )


def _entries(found: Mapping[str, Node], name: str) -> list[tuple[str, Node]]:
    return list(found[name].entries().items()) if name in found else []


def _env(name: str, node: Node) -> EnvVar:
    """``"NAME": "value"``, or an object; as on Heroku, it is required unless it says otherwise."""
    valid = node.checked(lambda: var_name(name), key=True)
    if isinstance(node.value, str):
        return EnvVar(valid, _value(valid, node), generated=False, required=True)
    if not isinstance(node.value, dict):
        raise node.wrong("must be a string, in quotes, or an object")
    found = node.members("value", "generator", "required", also=frozenset({"description"}))
    generator = found["generator"].choice("secret") if "generator" in found else None
    required = found["required"].boolean() if "required" in found else True
    value = _value(valid, found["value"]) if "value" in found else None
    return EnvVar(valid, value, generator is not None, required)


def _value(name: VarName, node: Node) -> str:
    text = node.text()
    return node.checked(lambda: var_value(name, text))


def _type(name: str, node: Node) -> ProcessType:
    return node.checked(lambda: process_type(name), key=True)


def _quantity(node: Node) -> int | None:
    unused = frozenset({"size", "max_parallel", "autoscaling", "service"})
    found = node.members("quantity", also=unused)
    return found["quantity"].integer(0, QUANTITY_MAX) if "quantity" in found else None


def _seconds(node: Node) -> int:
    """``180``, or as text: ``"180s"``, ``"3m"``."""
    if type(node.value) is int:
        return node.integer(1, 86_400)
    text = node.text()
    return node.checked(lambda: parse_seconds(text))


def _command(node: Node | None) -> str | None:
    if node is None:
        return None
    text = node.text()
    if not text.strip():
        raise node.wrong("is empty: it must be a command")
    if len(text.encode()) > COMMAND_MAX_BYTES:
        raise node.wrong(f"is longer than {COMMAND_MAX_BYTES} bytes")
    return text


def _cron(node: Node) -> CronJob:
    found = node.members("command", "schedule", "concurrency_policy", "maintenance", "name")
    for name in ("command", "schedule"):
        if name not in found:
            raise node.wrong(f"has no {name}")
    policy = found.get("concurrency_policy")
    maintenance = found.get("maintenance")
    return CronJob(
        command=_command(found["command"]) or "",
        schedule=found["schedule"].line(),
        policy=policy.choice(*_POLICIES) if policy else "forbid",
        maintenance=maintenance.boolean() if maintenance else False,
        name=_job_name(found["name"]) if "name" in found else None,
        position=found["schedule"].position(),
    )


def _job_name(node: Node) -> str:
    text = node.text()
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,57}", text) is None:
        raise node.wrong(
            "must be 1 to 58 letters, digits, dashes and underscores, starting with a letter or "
            "digit"
        )
    return text


def _addons(node: Node) -> tuple[Addon, ...]:
    addons = tuple(map(_addon, node.items()))
    if len(addons) > ADDONS_MAX:
        raise node.wrong(f"names more than {ADDONS_MAX} add-ons")
    return addons


def _addon(node: Node) -> Addon:
    """``"heroku-postgresql"``, or an object with plan, as and options."""
    if isinstance(node.value, str):
        return Addon(node.line(), position=node.position())
    found = node.members("plan", "as", "options")
    if "plan" not in found:
        raise node.wrong("has no plan")
    options = found["options"].members("version") if "options" in found else {}
    return Addon(
        found["plan"].line(),
        found["as"].line() if "as" in found else None,
        options["version"].line() if "version" in options else None,
        position=node.position(),
    )


def _buildpacks(node: Node) -> tuple[Buildpack, ...]:
    packs: list[Buildpack] = []
    for item in node.items():
        found = item.members("url")
        if "url" not in found:
            raise item.wrong("has no url")
        pack = _buildpack(found["url"])
        if pack in packs:
            raise found["url"].wrong("names a buildpack that the list has already")
        packs.append(pack)
    if len(packs) > LIST_MAX:
        raise node.wrong(f"names more than {LIST_MAX} buildpacks")
    return tuple(packs)


def _buildpack(node: Node) -> Buildpack:
    """Not a directory of the server: a user who pushes must not choose what is read there."""
    text = node.line()
    try:
        pack = buildpack(text)
    except PaasError:
        pack = None
    if pack is None or (pack.kind is Kind.NAME and pack.source not in OWN):
        names = ", ".join(sorted(OWN))
        raise node.wrong(f"must be one of {names}, heroku/NAME, or https://host/path")
    if pack.kind is Kind.PATH:
        raise node.wrong("is a directory of the server, which only paas buildpacks:add takes")
    return pack
