"""What of an app is stopped by hand: all (``*``), a type (``web``), an instance (``web.1``).

Kept as a set of such words until ps:start; roll-outs in between leave it stopped.
"""

from collections.abc import Iterable, Mapping, Sequence

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import ProcessType, shown

ALL = "*"
InstanceName = tuple[ProcessType, int]


def label(instance: InstanceName) -> str:
    """``web.1``."""
    return f"{instance[0]}.{instance[1]}"


def instance_names(counts: Mapping[ProcessType, int]) -> list[InstanceName]:
    """Where instances should run, in order."""
    return [(kind, number) for kind, count in counts.items() for number in range(1, count + 1)]


def is_stopped(stopped: Iterable[str], instance: InstanceName) -> bool:
    """Whether an instance should not run."""
    return not {ALL, instance[0], label(instance)}.isdisjoint(stopped)


def named(words: Sequence[str], counts: Mapping[ProcessType, int]) -> list[InstanceName]:
    """The places that ``web`` and ``web.1`` name; no words: all. Raises if there is none."""
    found: list[InstanceName] = []
    for word in words:
        kind, dot, number = word.partition(".")
        if ProcessType(kind) not in counts:
            known = ", ".join(counts) or "none"
            raise usage_error(
                "no-process",
                f"{shown(word)} is not a process of the app; it has: {known}.",
                "paas ps",
            )
        mine = [instance for instance in instance_names(counts) if instance[0] == kind]
        if dot:
            mine = [instance for instance in mine if str(instance[1]) == number]
        if not mine:
            raise PaasError(
                "no-instance",
                f"There is no {word}: {kind}={counts[ProcessType(kind)]}.",
                f"paas ps:scale {kind}+1",
            )
        found += mine
    return found if words else instance_names(counts)


def after_stop(stopped: frozenset[str], words: Sequence[str]) -> frozenset[str]:
    """The set after ``ps:stop WORDS``; no words: everything, also what is added later."""
    return stopped | set(words) if words else frozenset({ALL})


def after_start(
    stopped: frozenset[str], started: Sequence[InstanceName], counts: Mapping[ProcessType, int]
) -> frozenset[str]:
    """The set after a start of these: the rest stays stopped, type by type where it can."""
    left = [p for p in instance_names(counts) if is_stopped(stopped, p) and p not in started]
    touched = {kind for kind, _ in started}
    whole = {kind for kind, _ in left if kind not in touched}
    return frozenset({*whole, *(label(instance) for instance in left if instance[0] in touched)})
