"""app.json: what an app asks of the platform; Heroku's schema with Dokku's additions.

https://devcenter.heroku.com/articles/app-json-schema
https://dokku.com/docs/appendices/file-formats/app-json/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from paas.domain.appjson_checks import check_list
from paas.domain.appjson_reader import Node, read_app_json
from paas.domain.health import Checks
from paas.domain.names import ProcessType, VarName, process_type, var_name, var_value
from paas.domain.procfile import COMMAND_MAX_BYTES

APP_JSON_MAX_BYTES = 65_536
QUANTITY_MAX = 100

# What is for people, or for other platforms: accepted without a word.
_IGNORED = frozenset(
    {"name", "description", "keywords", "website", "repository", "logo", "success_url", "image"}
) | {"stack", "environments", "$schema"}
_POLICIES = ("allow", "forbid", "replace")


@dataclass(frozen=True, slots=True)
class EnvVar:
    """A config var that the app declares. generated: a secret, made up where it has no value."""

    name: VarName
    value: str | None
    generated: bool
    required: bool


@dataclass(frozen=True, slots=True)
class CronJob:
    """A command to run at times. schedule: five fields; policy: of two runs at once."""

    command: str
    schedule: str
    policy: str
    maintenance: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AppJson:
    """A whole app.json. first_deploy: scripts.postdeploy. warnings: sentences for the pusher."""

    env: tuple[EnvVar, ...] = ()
    formation: Mapping[ProcessType, int] = field(default_factory=dict)
    checks: Checks = field(default_factory=dict)
    predeploy: str | None = None
    postdeploy: str | None = None
    first_deploy: str | None = None
    cron: tuple[CronJob, ...] = ()
    buildpacks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@lru_cache(maxsize=16)
def parse_app_json(content: bytes) -> AppJson:
    """Parse an app.json. Raises PaasError with line and column; unknown keys are warnings."""
    root, warnings = read_app_json(content)
    found = root.members(
        "env", "formation", "healthchecks", "scripts", "cron", "buildpacks", "addons", also=_IGNORED
    )
    if "addons" in found:
        found["addons"].warn(
            "is ignored, as there are no add-ons here: set their config vars yourself"
        )
    scripts = found["scripts"].members("dokku", "postdeploy") if "scripts" in found else {}
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
        cron=tuple(_cron(node) for node in found["cron"].items()) if "cron" in found else (),
        buildpacks=tuple(_buildpack(node) for node in found["buildpacks"].items())
        if "buildpacks" in found
        else (),
        warnings=tuple(warnings),
    )


def _entries(found: Mapping[str, Node], name: str) -> list[tuple[str, Node]]:
    return list(found[name].entries().items()) if name in found else []


def _env(name: str, node: Node) -> EnvVar:
    """``"NAME": "value"``, or an object; as on Heroku, it is required unless it says otherwise."""
    valid = node.checked(lambda: var_name(name), key=True)
    if isinstance(node.value, str):
        return EnvVar(valid, _value(valid, node), generated=False, required=True)
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
    found = node.members("command", "schedule", "concurrency_policy", "maintenance")
    for name in ("command", "schedule"):
        if name not in found:
            raise node.wrong(f"has no {name}")
    policy = found.get("concurrency_policy")
    maintenance = found.get("maintenance")
    return CronJob(
        command=_command(found["command"]) or "",
        schedule=found["schedule"].text(),
        policy=policy.choice(*_POLICIES) if policy else "allow",
        maintenance=maintenance.boolean() if maintenance else False,
    )


def _buildpack(node: Node) -> str:
    found = node.members("url")
    if "url" not in found:
        raise node.wrong("has no url")
    return found["url"].text()
