"""Settings and extensions of a running PostgreSQL; implements `PostgresqlServers`."""

import json
from collections.abc import Iterable

from paas.adapters.datastores.postgresql import conf, sql
from paas.adapters.datastores.postgresql.queries import Queries
from paas.adapters.runtime.native.process_tree import wait_until
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.extensions import Extension
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.paths import Paths

# The server reads its settings again a moment after it was told to.
_RELOAD_LIMIT_S = 10.0
_MAKE_LIMIT_S = 300.0
_PLAIN = "SET search_path = pg_catalog;\n"
_LOADED = _PLAIN + "SELECT extract(epoch FROM pg_conf_load_time());\n"
_EXTENSIONS = """SET search_path = pg_catalog;
SELECT coalesce(json_agg(found ORDER BY name), '[]')::text FROM (
    SELECT a.name, a.default_version AS version, a.installed_version AS installed, a.comment,
        v.trusted OR NOT v.superuser AS free
    FROM pg_available_extensions a
    JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
    WHERE a.name <> 'plpgsql') AS found;
"""
# Functions and operators in the schema of the extension, which its script might call by mistake,
# with the superuser's rights; a trigger's function cannot be called.
_TRAPS = """SET search_path = pg_catalog;
SELECT count(*) FROM (
    SELECT 'pg_proc'::regclass AS class, oid FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prorettype <> 'trigger'::regtype
    UNION ALL
    SELECT 'pg_operator'::regclass, oid FROM pg_operator
    WHERE oprnamespace = 'public'::regnamespace) AS own
WHERE NOT EXISTS (SELECT FROM pg_depend
    WHERE classid = own.class AND objid = own.oid AND deptype = 'e');
"""


class PostgresqlTuning:
    """psql as the superuser, over the socket that only root can reach."""

    def __init__(self, paths: Paths) -> None:
        self._queries = Queries(paths)

    def settings(self, datastore: Datastore, names: Iterable[str]) -> dict[str, str]:
        """See `PostgresqlServers`."""
        listed = ", ".join(sql.literal(name) for name in names)
        text = (
            "SELECT coalesce(json_object_agg(name, current_setting(name)), '{}')::text "
            f"FROM pg_settings WHERE name IN ({listed});\n"
        )
        found: dict[str, str] = json.loads(self._ask(datastore, _PLAIN + text, conf.SUPERUSER))
        return found

    def reload(self, datastore: Datastore) -> None:
        """See `PostgresqlServers`. A new session tells when its settings were loaded."""
        before = self._ask(datastore, _LOADED, conf.SUPERUSER)
        self._ask(datastore, "SELECT pg_catalog.pg_reload_conf();\n", conf.SUPERUSER)
        if not wait_until(
            lambda: self._ask(datastore, _LOADED, conf.SUPERUSER) != before, _RELOAD_LIMIT_S
        ):
            raise PaasError(
                "datastore-not-switched",
                f"{datastore.name} did not read its settings within {_RELOAD_LIMIT_S:g} s.",
                "They take effect at its next start; its log may say why: paas logs --service",
            )

    def extensions(self, datastore: Datastore) -> list[Extension]:
        """See `PostgresqlServers`."""
        rows = json.loads(self._ask(datastore, _EXTENSIONS, datastore.database))
        return [
            Extension(
                row["name"], row["version"], row["installed"], row["free"], row["comment"] or ""
            )
            for row in rows
        ]

    def make_extension(self, datastore: Datastore, extension: Extension) -> None:
        """See `PostgresqlServers`."""
        making = f"CREATE EXTENSION IF NOT EXISTS {sql.identifier(extension.name)} CASCADE;\n"
        if extension.free:
            making = f"SET ROLE {sql.identifier(sql.owner_of(datastore))};\n{making}"
        elif int(self._ask(datastore, _TRAPS, datastore.database)):
            raise PaasError(
                "pg-extension-refused",
                f"{extension.name} needs the superuser, and {datastore.name} has functions or "
                "operators in the schema public, which its script could call by mistake.",
                "Create it in an empty database, before them; or move them to another schema: "
                "ALTER FUNCTION ... SET SCHEMA",
            )
        # Where it is made, unless it has a schema of its own, as that of a language has.
        first = "SET search_path = public;\nSET client_min_messages = error;\n"
        self._ask(datastore, first + making, None)

    def _ask(self, datastore: Datastore, text: str, database: str | None) -> str:
        """database: None means the app's, for something that takes a while."""
        try:
            return self._queries.run(
                datastore,
                text,
                database or datastore.database,
                limit_s=30.0 if database else _MAKE_LIMIT_S,
            )
        except (ProgramFailedError, TimedOutError) as error:
            raise PaasError(
                "datastore-not-asked",
                f"{datastore.name} refused this, or does not answer.",
                "If it does not answer at all, ask the server's operator to run: paas doctor",
                context=error.context,
            ) from error
