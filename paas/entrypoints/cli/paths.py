"""Paths of domains, as the commands of domains read and show them."""

from collections.abc import Sequence

from paas.adapters.network.idn import to_host_name, to_unicode
from paas.domain.routing.paths import PathRoute, path_prefix
from paas.domain.values.errors import usage_error
from paas.services.routing.paths import PathAddress, PathInfo


def path_addresses(words: Sequence[str]) -> list[PathAddress]:
    """The paths among the words of a command; empty if all are host names.

    Raises a usage error if some are.
    """
    found = [word.partition("/") for word in words if "/" in word and "://" not in word]
    if found and len(found) < len(words):
        raise usage_error(
            "arguments",
            "Domains and paths of domains were named in one command.",
            "Name the domains first, and the paths in a second command.",
        )
    return [PathAddress(to_host_name(h), path_prefix(f"/{path}")) for h, _, path in found]


def shown_path(route: PathRoute) -> str:
    """A path as people read it."""
    return f"{to_unicode(route.host)}{route.path}"


def path_kind(name: str, info: PathInfo) -> str:
    """Who answers, from an app's point of view."""
    stripped = "" if info.route.strip else ", kept"
    if info.app == name:
        return f"path of {info.host_app or 'another app'}{stripped}"
    return f"path to {info.app or 'another app'}{stripped}"


def plain_path(info: PathInfo) -> dict[str, object]:
    """For --json; a path has the DNS and the certificate of its host."""
    return {
        "domain": info.route.host,
        "kind": "path",
        "redirect": None,
        "addresses": [],
        "points_here": None,
        "proof": None,
        "pending": None,
        "certificate": None,
        "path": info.route.path,
        "strip": info.route.strip,
        "host_app": info.host_app,
        "app": info.app,
    }
