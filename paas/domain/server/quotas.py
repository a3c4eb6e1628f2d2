"""Quotas: how much a member and each of their apps may have."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown
from paas.domain.values.sizes import size_words

_MIB = 1024**2
_UNITS = {"m": _MIB, "g": 1024 * _MIB, "t": 1024**2 * _MIB}
COUNT_MAX = 100_000
NONE, DEFAULT = "none", "default"
# A quota with this value, stored or set, limits nothing.
UNLIMITED = 0


class Quota(StrEnum):
    """APPS and DATASTORES belong to a member, the others to each app."""

    APPS = "apps"
    """How many apps a member may own."""
    DATASTORES = "datastores"
    """How many datastores the apps that a member owns may have, all together."""
    INSTANCES = "instances"
    """How many instances the formation may have, all process types together."""
    DOMAINS = "domains"
    """How many domains, redirects and paths of them, pending ones included."""
    DISK = "disk"
    """How many bytes of disk space; see DiskUsage."""
    BODY = "body"
    """The largest client-max-body-size, in bytes."""


SIZES = frozenset({Quota.DISK, Quota.BODY})
OF_USERS = (Quota.APPS, Quota.DATASTORES)
OF_APPS = tuple(quota for quota in Quota if quota not in OF_USERS)
Values = Mapping[Quota, int]


def parse_quotas(words: Sequence[str]) -> dict[Quota, int | None]:
    """``disk=20g instances=none apps=default``: values, UNLIMITED, or None for the default.

    Raises PaasError, which says what a word must be.
    """
    found: dict[Quota, int | None] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in set(Quota):
            raise usage_error(
                "quota", f"{shown(name)} is not a quota.", f"The quotas are: {', '.join(Quota)}"
            )
        quota = Quota(name)
        if quota in found:
            raise usage_error("quota", f"{quota} is given twice.")
        found[quota] = _value(quota, text)
    return found


def _value(quota: Quota, text: str) -> int | None:
    if text in {NONE, DEFAULT}:
        return UNLIMITED if text == NONE else None
    if quota in SIZES:
        size = re.fullmatch(r"([1-9][0-9]{0,5})([mgt])", text.lower())
        if size is None:
            raise usage_error(
                "quota",
                f"{quota} takes a size such as 500m, 20g or 1t, {NONE} or {DEFAULT}, "
                f"not {shown(text)}.",
            )
        return int(size[1]) * _UNITS[size[2]]
    if re.fullmatch(r"[1-9][0-9]{0,5}", text) is None or int(text) > COUNT_MAX:
        raise usage_error(
            "quota",
            f"{quota} takes a number from 1 to {COUNT_MAX}, {NONE} or {DEFAULT}, "
            f"not {shown(text)}.",
        )
    return int(text)


def quota_words(quota: Quota, value: int) -> str:
    """An amount in use, formatted for people."""
    return size_words(value) if quota in SIZES else str(value)


def limit_words(quota: Quota, limit: int) -> str:
    """A limit, formatted for people."""
    return NONE if limit == UNLIMITED else quota_words(quota, limit)


def exceeds(value: int, limit: int) -> bool:
    """Whether an amount is more than the quota allows."""
    return limit != UNLIMITED and value > limit


def over(reference: str, message: str, what_to_do: str) -> PaasError:
    """A refusal: how to get below the quota, and who can raise it."""
    return PaasError(
        reference, message, f"{what_to_do} An admin can raise the quota: paas quota:set"
    )
