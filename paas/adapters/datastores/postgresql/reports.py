"""Asks a running PostgreSQL what it is doing, as its superuser; implements `DatastoreReports`."""

import json

from paas.adapters.datastores.postgresql import conf, report_sql, sql
from paas.adapters.datastores.postgresql.queries import Queries
from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.reports import Report, Row
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.paths import Paths

# That it is there already would be told among the rows.
_STATEMENTS = (
    "SET client_min_messages = error;\n"
    "CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public;\n"
)


class PostgresqlReports:
    """Statistics of statements are kept in a database that no app can reach."""

    def __init__(self, paths: Paths) -> None:
        self._queries = Queries(paths)

    def rows(self, datastore: Datastore, report: Report) -> list[Row]:
        """See `DatastoreReports`."""
        name = sql.literal(datastore.database)
        text, database = report_sql.query(datastore, report, name), datastore.database
        if report is Report.OUTLIERS:
            text, database = _STATEMENTS + text, conf.SUPERUSER
        found: list[Row] = json.loads(self._run(datastore, text, database))
        return found

    def end(self, datastore: Datastore, pid: int) -> bool:
        """See `DatastoreReports`."""
        text = report_sql.end(pid, sql.literal(datastore.database))
        return self._run(datastore, text, conf.SUPERUSER).strip() == "t"

    def _run(self, datastore: Datastore, text: str, database: str) -> str:
        try:
            return self._queries.run(datastore, text, database)
        except (ProgramFailedError, TimedOutError) as error:
            raise PaasError(
                "datastore-not-asked",
                f"{datastore.name} did not answer the query.",
                "If it does not answer at all, ask the server's operator to run: paas doctor",
                context=error.context,
            ) from error
