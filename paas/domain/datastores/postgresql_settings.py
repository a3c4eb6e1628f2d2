"""The PostgreSQL settings that users can change, and the values that each can have.

Each is safe for the server's other users whatever its value: none gives access to files or
programs, and memory is bounded by the plan.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.following import MAX_LOCKS
from paas.domain.datastores.plans import Plan
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "": 1}
_KIB = {"kb": 1, "mb": 1_024, "gb": 1_024**2}
_DAY_MS = 86_400_000

# A value as PostgreSQL takes it; None if it is none of those that may be.
Reader = Callable[[str, Plan], str | None]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting, by PostgreSQL's own name. values: those that it can have, in words.

    restart: whether it takes effect only after a restart.
    """

    name: str
    meaning: str
    values: str
    read: Reader
    restart: bool = False


def _one_of(*words: str) -> tuple[str, Reader]:
    return ", ".join(words), lambda text, _: text.lower() if text.lower() in words else None


def _time(least_ms: int = 0, most_ms: int = _DAY_MS) -> tuple[str, Reader]:
    def read(text: str, _: Plan) -> str | None:
        if text in ("-1", "never") and least_ms == -1:
            return "-1"
        match = re.fullmatch(r"([0-9]{1,9})(ms|s|min|h|)", text)
        found = int(match[1]) * _MS[match[2]] if match else -1
        return f"{found}ms" if max(least_ms, 0) <= found <= most_ms else None

    off = "never, " if least_ms == -1 else "0 (no limit), " if least_ms == 0 else ""
    return f"{off}or a time such as 500ms, 30s, 5min", read


def _memory(least_kib: int, share: int) -> tuple[str, Reader]:
    """share: of the plan's memory, at most."""

    def read(text: str, plan: Plan) -> str | None:
        match = re.fullmatch(r"([0-9]{1,9})(kb|mb|gb)", text.lower())
        found = int(match[1]) * _KIB[match[2]] if match else -1
        return f"{found}kB" if least_kib <= found <= plan.memory_mib * 1_024 // share else None

    least = f"{least_kib // 1_024}MB" if least_kib >= 1_024 else f"{least_kib}kB"
    return f"{least} to 1/{share} of the plan's memory, such as 16MB", read


def _number(least: float, most: float, *, whole: bool = True) -> tuple[str, Reader]:
    def read(text: str, _: Plan) -> str | None:
        match = re.fullmatch(r"[0-9]{1,6}" if whole else r"[0-9]{1,6}(\.[0-9]{1,6})?", text)
        return text if match and least <= float(text) <= most else None

    return f"{least:g} to {most:g}", read


def _setting(
    name: str, meaning: str, values: tuple[str, Reader], *, restart: bool = False
) -> Setting:
    return Setting(name, meaning, *values, restart)


_SWITCH = _one_of("on", "off")
SETTINGS: Mapping[str, Setting] = {
    one.name: one
    for one in (
        _setting(
            "autovacuum_vacuum_scale_factor",
            "the share of a table's rows that are dead when it is vacuumed",
            _number(0, 1, whole=False),
        ),
        _setting(
            "autovacuum_analyze_scale_factor",
            "the share of a table's rows that have changed when it is analyzed",
            _number(0, 1, whole=False),
        ),
        _setting(
            "default_statistics_target",
            "how closely the planner looks at columns",
            _number(1, 10_000),
        ),
        _setting(
            "idle_in_transaction_session_timeout",
            "ends sessions that are idle in an open transaction for longer",
            _time(),
        ),
        _setting("jit", "whether long queries are compiled", _SWITCH),
        _setting("lock_timeout", "ends statements that wait longer for a lock", _time()),
        _setting("log_connections", "logs each connection", _SWITCH),
        _setting("log_lock_waits", "logs sessions that wait a second for a lock", _SWITCH),
        _setting(
            "log_min_duration_statement",
            "logs statements that take longer, with their values",
            _time(-1),
        ),
        _setting(
            "log_statement",
            "logs statements, with their values",
            _one_of("none", "ddl", "mod", "all"),
        ),
        _setting(
            "maintenance_work_mem",
            "memory for creating an index, and for VACUUM",
            _memory(1_024, 4),
        ),
        _setting(
            "max_locks_per_transaction",
            "how many tables a transaction locks, on average",
            _number(64, MAX_LOCKS),
            restart=True,
        ),
        _setting(
            "max_parallel_workers_per_gather",
            "how many processes help with a query",
            _number(0, 8),
        ),
        _setting(
            "random_page_cost",
            "the planner's cost of a random read; lower values favor indexes",
            _number(0.1, 100, whole=False),
        ),
        _setting(
            "shared_buffers",
            "memory for data that all sessions share",
            _memory(16 * 1_024, 2),
            restart=True,
        ),
        _setting("statement_timeout", "ends statements that take longer", _time()),
        _setting(
            "track_functions",
            "counts calls of functions",
            _one_of("none", "pl", "all"),
        ),
        _setting("track_io_timing", "measures reading and writing", _SWITCH),
        _setting(
            "work_mem",
            "memory for a sort or a hash; a query may need several, in each connection",
            _memory(64, 8),
        ),
    )
}


def setting_named(word: str) -> Setting:
    """The setting with that name, with Heroku's dashes too. Raises PaasError if there is none."""
    found = SETTINGS.get(word.lower().replace("-", "_"))
    if found is None:
        raise usage_error(
            "pg-setting",
            f"{shown(word)} is not a setting that can be changed here.",
            "List them: paas pg:settings",
        )
    return found


def read_value(setting: Setting, text: str, plan: Plan) -> str:
    """A value in PostgreSQL's form. Raises PaasError if the setting cannot have it."""
    found = setting.read(text, plan)
    if found is None:
        raise usage_error(
            "pg-setting-value",
            f"{setting.name} cannot be {shown(text)} with the plan {plan.name}.",
            f"It may be: {setting.values}.",
        )
    return found


def chosen(datastore: Datastore) -> dict[str, str]:
    """What users have chosen, in PostgreSQL's form."""
    return {name: value for name, value in datastore.settings.items() if name in SETTINGS}


def refuse_unfit(datastore: Datastore, plan: Plan) -> None:
    """Raises PaasError if a chosen value is not possible with another plan."""
    for name, value in chosen(datastore).items():
        if SETTINGS[name].read(value, plan) is None:
            raise PaasError(
                "pg-setting-value",
                f"{name} is {value}, which is too much for the plan {plan.name}.",
                f"It may be: {SETTINGS[name].values}. To reset it: "
                f"paas pg:settings:unset {name} {datastore.name}",
            )
