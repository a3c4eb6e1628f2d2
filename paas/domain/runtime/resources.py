"""How much of the machine an app's processes may use: their own limits and the server's, combined.

A limit belongs to the app and a process type, as Heroku's dyno sizes do: releases have none, so a
rollback restores none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import ProcessType, process_type, shown

RUN, CRON, RELEASE = ProcessType("run"), ProcessType("cron"), ProcessType("release")
# The types of one-off processes, which an app has whatever its Procfile says.
ONE_OFF = (RELEASE, RUN, CRON)
# Scripts of app.json, which run around a release as its release command does.
_SCRIPTS = frozenset({"predeploy", "postdeploy"})
UNSET = "-"
# Thousandths of a core, the unit of Docker and Kubernetes.
_CORE = 1_000
_UNITS_MIB = {"": 1, "m": 1, "mb": 1, "mib": 1, "g": 1024, "gb": 1024, "gib": 1024}


class Resource(StrEnum):
    """What can be limited, by the word that users type."""

    MEMORY = "memory"
    CPU = "cpu"
    PIDS = "pids"
    NOFILE = "nofile"
    SCRATCH = "scratch"


@dataclass(frozen=True, slots=True)
class SetLimit:
    """A limit that was set. kind: the process type; None: all types without one of their own.

    amount: in MiB for memory and scratch, in thousandths of a core for cpu, else a number.
    """

    kind: ProcessType | None
    resource: Resource
    amount: int


@dataclass(frozen=True, slots=True)
class _Measure:
    """How a resource is counted. field: its name in `Limits`. least: what a program needs to start.

    setting: the ceiling's name in server.yml.
    """

    field: str
    least: int
    setting: str
    parse: Callable[[str], int | None]
    words: Callable[[int], str]
    example: str


def _parse_mib(text: str) -> int | None:
    found = re.fullmatch(r"([0-9]{1,9})([a-z]{0,3})", text.lower())
    unit = _UNITS_MIB.get(found[2]) if found else None
    return int(found[1]) * unit if found and unit else None


def _parse_cores(text: str) -> int | None:
    found = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,3}))?", text)
    return int(found[1]) * _CORE + int((found[2] or "").ljust(3, "0")) if found else None


def _parse_count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def mib_words(mib: int) -> str:
    """As users type it: ``512m``, ``2g``."""
    return f"{mib // 1024}g" if mib and mib % 1024 == 0 else f"{mib}m"


def _cores_words(milli: int) -> str:
    return f"{milli / _CORE:g}"


_MEASURES = {
    Resource.MEMORY: _Measure("memory_mib", 32, "max_memory_mib", _parse_mib, mib_words, "512m"),
    Resource.CPU: _Measure("cpu_milli", 10, "max_cpu_cores", _parse_cores, _cores_words, "0.5"),
    Resource.PIDS: _Measure("processes", 8, "max_processes", _parse_count, str, "200"),
    Resource.NOFILE: _Measure("open_files", 64, "max_open_files", _parse_count, str, "4096"),
    Resource.SCRATCH: _Measure("scratch_mib", 1, "max_scratch_mib", _parse_mib, mib_words, "1g"),
}
# Heroku's dyno sizes: their memory in MiB.
SIZES = {
    "eco": 512,
    "basic": 512,
    "standard-1x": 512,
    "standard-2x": 1_024,
    "performance-m": 2_560,
    "performance-l": 14_336,
}
_EXAMPLE = "paas resource:limit memory=512m cpu=0.5"


def amount_of(limits: Limits, resource: Resource) -> int:
    """In its unit; 0: no limit."""
    return int(getattr(limits, _MEASURES[resource].field))


def amount_words(resource: Resource, amount: int) -> str:
    """As users type it, or ``none``."""
    return _MEASURES[resource].words(amount) if amount else "none"


def parse_limit(word: str) -> tuple[Resource, int | None]:
    """Read ``memory=512m``, or ``memory=-``, which removes the limit: None. Raises PaasError."""
    name, is_given, text = word.partition("=")
    if name not in list(Resource) or not is_given:
        names = ", ".join(Resource)
        raise usage_error(
            "resource",
            f"{shown(word)} is not of the form NAME=VALUE, NAME one of {names}.",
            _EXAMPLE,
        )
    resource = Resource(name)
    if text == UNSET:
        return resource, None
    measure = _MEASURES[resource]
    amount = measure.parse(text)
    if amount is None:
        raise usage_error(
            "resource",
            f"{resource} takes a value such as {measure.example}, or {UNSET} for no limit of its "
            f"own; not {shown(text)}.",
            f"paas resource:limit {resource}={measure.example}",
        )
    if amount < measure.least:
        least = measure.words(measure.least)
        raise usage_error(
            "resource",
            f"{resource}: nothing would start with less than {least}; {shown(text)} is too low.",
            f"paas resource:limit {resource}={measure.example}",
        )
    return resource, amount


def parse_size(word: str) -> tuple[ProcessType, int]:
    """Read ``web=standard-1x``: the process type and its memory in MiB. Raises PaasError."""
    name, is_given, size = word.partition("=")
    memory_mib = SIZES.get(size.lower())
    if not is_given or memory_mib is None:
        raise usage_error(
            "size",
            f"{shown(word)} is not of the form TYPE=SIZE, SIZE one of {', '.join(SIZES)}.",
            "paas ps:type web=standard-1x; for other sizes: paas resource:limit memory=768m",
        )
    return process_type(name), memory_mib


def changed(
    before: Sequence[SetLimit],
    kind: ProcessType | None,
    changes: Mapping[Resource, int | None],
) -> tuple[SetLimit, ...]:
    """The limits after changes to those of a type; None removes one."""
    kept = [one for one in before if one.kind != kind or one.resource not in changes]
    new = [SetLimit(kind, name, amount) for name, amount in changes.items() if amount is not None]
    return tuple(sorted([*kept, *new], key=lambda one: (one.kind or "", one.resource)))


def set_for(limits: Sequence[SetLimit], kind: ProcessType | None) -> dict[Resource, int]:
    """Limits that were set for a type alone, or for all (None), in the order of the resources."""
    own = {one.resource: one.amount for one in limits if one.kind == kind}
    return {resource: own[resource] for resource in Resource if resource in own}


def type_of_command(name: str) -> ProcessType:
    """The type whose limits a one-off process has, by its name: ``release.1``, ``run.2``."""
    kind = name.partition(".")[0]
    return RELEASE if kind in _SCRIPTS else ProcessType(kind)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The server's limits. defaults: for processes without their own. ceilings: the most allowed.

    0: no limit.
    """

    defaults: Limits
    ceilings: Limits

    def of(self, kind: ProcessType, wanted: Sequence[SetLimit]) -> Limits:
        """What applies to a process type: its own limits, the app's, or the server's.

        A limit that is no longer allowed is lowered to the highest that is.
        """
        amounts = set_for(wanted, None) | set_for(wanted, kind)
        found = {
            _MEASURES[resource].field: self._capped(
                resource, amounts.get(resource, amount_of(self.defaults, resource))
            )
            for resource in Resource
        }
        return replace(self.defaults, **found)

    def highest(self, resource: Resource) -> int:
        """The highest that may be set, at least the server's own default. 0: no limit."""
        ceiling, default = amount_of(self.ceilings, resource), amount_of(self.defaults, resource)
        return max(ceiling, default) if ceiling else 0

    def allow(self, resource: Resource, amount: int) -> None:
        """Raise PaasError if the limit is above the ceiling."""
        highest = self.highest(resource)
        if highest and amount > highest:
            words, setting = _MEASURES[resource].words, _MEASURES[resource].setting
            raise PaasError(
                "resource-ceiling",
                f"{resource}={words(amount)} is more than an app may have on this server: "
                f"{words(highest)}.",
                f"Set a lower limit, or ask an administrator to raise {setting} in server.yml.",
            )

    def _capped(self, resource: Resource, amount: int) -> int:
        highest = self.highest(resource)
        if not highest:
            return amount
        return min(amount, highest) if amount else highest
