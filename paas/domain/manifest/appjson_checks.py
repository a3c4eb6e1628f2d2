"""The healthchecks of app.json, with Dokku's fields.

https://dokku.com/docs/deployment/zero-downtime-deploys/
"""

import re

from paas.domain.manifest.appjson_reader import Node
from paas.domain.manifest.health import CheckKind, HealthCheck

CHECKS_MAX = 20
ATTEMPTS_MAX = 100
SECONDS_MAX = 600
PATH_MAX = 2048

_FIELDS = (
    *("type", "name", "path", "content", "attempts", "timeout", "wait", "initialDelay", "uptime"),
    *("listening", "warn", "scheme", "httpHeaders", "command", "onFailure"),
)
# port: an instance has the one port that the platform gives it.
_IGNORED = frozenset({"description", "port"})


def check_list(kind: str, node: Node) -> tuple[HealthCheck, ...]:
    """The checks of one process type."""
    items = node.items()
    if len(items) > CHECKS_MAX:
        raise node.wrong(f"has more than {CHECKS_MAX} checks")
    found = (_check(f"{kind} check {n}", item) for n, item in enumerate(items, start=1))
    return tuple(check for check in found if check is not None)


def _check(name: str, node: Node) -> HealthCheck | None:
    found = node.members(*_FIELDS, also=_IGNORED)
    ways = [way for way in ("path", "command", "uptime", "listening") if way in found]
    if len(ways) > 1:
        raise node.wrong(f"has both {ways[0]} and {ways[1]}: a check can be of one kind only")
    if "onFailure" in found:
        found["onFailure"].warn("is not supported and is ignored")
    if "scheme" in found:
        found["scheme"].choice("http")
    if "command" in found:
        found["command"].warn("is not supported: this check is not made")
        return None

    def number(field: str, default: int, lowest: int, highest: int = SECONDS_MAX) -> int:
        return found[field].integer(lowest, highest) if field in found else default

    kinds = [kind.value for kind in CheckKind]
    return HealthCheck(
        kind=CheckKind(found["type"].choice(*kinds) if "type" in found else CheckKind.STARTUP),
        name=found["name"].line() if "name" in found else name,
        path=_path(found["path"]) if "path" in found else None,
        content=found["content"].text() if "content" in found else "",
        headers=_headers(found["httpHeaders"]) if "httpHeaders" in found else (),
        listening=found["listening"].boolean() if "listening" in found else False,
        uptime_s=number("uptime", 0, 0),
        attempts=number("attempts", 3, 1, ATTEMPTS_MAX),
        timeout_s=number("timeout", 5, 1),
        wait_s=number("wait", 5, 0),
        initial_delay_s=number("initialDelay", 0, 0),
        warn=found["warn"].boolean() if "warn" in found else False,
    )


def _path(node: Node) -> str:
    """A request target that is sent as it is (RFC 9112, 3.2.1)."""
    text = node.text()
    if re.fullmatch(r"/[!-~]*", text) is None or len(text) > PATH_MAX:
        raise node.wrong(
            f"must start with / and have no blanks or other characters than ASCII, at most "
            f"{PATH_MAX}"
        )
    return text


def _headers(node: Node) -> tuple[tuple[str, str], ...]:
    found = []
    for item in node.items()[:CHECKS_MAX]:
        members = item.members("name", "value")
        if "name" not in members or "value" not in members:
            raise item.wrong("must have a name and a value")
        name, value = members["name"].text(), members["value"].text()
        if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", name) is None:
            raise members["name"].wrong("is not the name of an HTTP header")
        if re.fullmatch(r"[ -~\t]{0,2000}", value) is None:
            raise members["value"].wrong("cannot be the value of an HTTP header")
        found.append((name, value))
    return tuple(found)
