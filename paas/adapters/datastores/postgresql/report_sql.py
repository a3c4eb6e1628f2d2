"""The SQL of reports on a running PostgreSQL, one query each.

Most follow heroku-pg-extras (https://github.com/heroku/heroku-pg-extras, MIT license), shortened.
Names are looked up only in pg_catalog, so that nothing that users created is ever called.
"""

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.reports import Report

# Only the statistics of the app's own database; not the session that asks.
_MINE = "datname = current_database() AND pid <> pg_backend_pid()"
_CLIENTS = f"{_MINE} AND backend_type = 'client backend'"

_QUERIES = {
    Report.PS: f"""
        SELECT pid, state, usename AS login, application_name AS source,
            date_trunc('second', now() - query_start)::text AS running_for,
            wait_event_type AS waits_for, left(query, 500) AS query
        FROM pg_stat_activity WHERE {_CLIENTS} AND state <> 'idle'
        ORDER BY query_start""",
    Report.LOCKS: """
        SELECT a.pid, c.relname AS relation, l.mode, l.granted,
            date_trunc('second', now() - a.query_start)::text AS age, left(a.query, 500) AS query
        FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        LEFT JOIN pg_class c ON c.oid = l.relation
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
            AND l.mode IN ('ExclusiveLock', 'AccessExclusiveLock', 'RowExclusiveLock')
            AND l.locktype IN ('relation', 'transactionid')
        ORDER BY a.query_start""",
    Report.BLOCKING: """
        SELECT waiting.pid AS blocked_pid, left(waiting.query, 500) AS blocked_statement,
            date_trunc('second', now() - waiting.query_start)::text AS blocked_for,
            holder.pid AS blocking_pid, left(holder.query, 500) AS blocking_statement,
            CASE WHEN now() - waiting.query_start > interval '1 minute' THEN 'red'
                ELSE 'yellow' END AS color
        FROM pg_stat_activity waiting
        CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking(pid)
        JOIN pg_stat_activity holder ON holder.pid = blocking.pid
        WHERE waiting.datname = current_database()
        ORDER BY waiting.query_start""",
    Report.LONG_TRANSACTIONS: f"""
        SELECT pid, state, date_trunc('second', now() - xact_start)::text AS open_for,
            left(query, 500) AS query,
            CASE WHEN now() - xact_start > interval '1 hour' THEN 'red' ELSE 'yellow' END AS color
        FROM pg_stat_activity WHERE {_CLIENTS} AND now() - xact_start > interval '1 minute'
        ORDER BY xact_start""",
    Report.HIT_RATE: """
        SELECT name, round(ratio, 4) AS ratio,
            CASE WHEN ratio < 0.9 THEN 'red' WHEN ratio < 0.99 THEN 'yellow' ELSE 'green' END
            AS color
        FROM (
            SELECT 'table' AS name, sum(heap_blks_hit)
                / nullif(sum(heap_blks_hit) + sum(heap_blks_read), 0) AS ratio,
                sum(heap_blks_hit) + sum(heap_blks_read) AS total
            FROM pg_statio_user_tables
            UNION ALL
            SELECT 'index', sum(idx_blks_hit) / nullif(sum(idx_blks_hit) + sum(idx_blks_read), 0),
                sum(idx_blks_hit) + sum(idx_blks_read)
            FROM pg_statio_user_indexes
        ) AS rates WHERE total > 10000""",
    Report.CACHE_HIT: """
        SELECT schemaname || '.' || relname AS name, heap_blks_hit + idx_blks_hit AS hits,
            heap_blks_read + idx_blks_read AS reads,
            round((heap_blks_hit + idx_blks_hit)::numeric
                / nullif(heap_blks_hit + idx_blks_hit + heap_blks_read + idx_blks_read, 0), 4)
            AS ratio
        FROM (SELECT schemaname, relname, heap_blks_hit, heap_blks_read,
                coalesce(idx_blks_hit, 0) AS idx_blks_hit,
                coalesce(idx_blks_read, 0) AS idx_blks_read
            FROM pg_statio_user_tables) AS counted
        ORDER BY reads DESC LIMIT 50""",
    Report.INDEX_USAGE: """
        SELECT schemaname || '.' || relname AS name, n_live_tup AS rows,
            round(100.0 * coalesce(idx_scan, 0) / nullif(seq_scan + coalesce(idx_scan, 0), 0), 1)
            AS percent_by_index
        FROM pg_stat_user_tables ORDER BY n_live_tup DESC LIMIT 50""",
    Report.TABLE_SIZE: """
        SELECT n.nspname || '.' || c.relname AS name, pg_table_size(c.oid) AS table_bytes,
            pg_indexes_size(c.oid) AS index_bytes, greatest(c.reltuples, 0)::bigint AS rows
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
            AND n.nspname NOT LIKE 'pg\\_t%'
        ORDER BY pg_total_relation_size(c.oid) DESC LIMIT 50""",
    Report.VACUUM_STATS: """
        SELECT schemaname || '.' || relname AS name, n_live_tup AS rows, n_dead_tup AS dead_rows,
            date_trunc('second', greatest(last_vacuum, last_autovacuum))::text AS last_vacuum,
            date_trunc('second', greatest(last_analyze, last_autoanalyze))::text AS last_analyze
        FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT 50""",
    # What the rows should take, by the average width of their columns, with headers and padding.
    Report.WASTE: """
        SELECT n.nspname || '.' || c.relname AS name, c.relpages::bigint * 8192 AS size_bytes,
            greatest(c.relpages - ceil(c.reltuples * (32 + columns.width) / 8168), 0)::bigint
                * 8192 AS waste_bytes, coalesce(s.n_dead_tup, 0) AS dead_rows
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
        CROSS JOIN LATERAL (
            SELECT sum((1 - null_frac) * avg_width) AS width FROM pg_stats
            WHERE schemaname = n.nspname AND tablename = c.relname AND NOT inherited) AS columns
        WHERE c.relkind IN ('r', 'm') AND c.reltuples >= 0 AND columns.width IS NOT NULL
            AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        ORDER BY waste_bytes DESC, name LIMIT 50""",
    Report.SEQ_SCANS: """
        SELECT schemaname || '.' || relname AS name, seq_scan AS scans, n_live_tup AS rows,
            CASE WHEN seq_tup_read > 100000000 THEN 'red' ELSE 'yellow' END AS color
        FROM pg_stat_user_tables
        WHERE n_live_tup > 10000 AND seq_scan > 50 AND seq_scan > coalesce(idx_scan, 0) / 10
        ORDER BY seq_tup_read DESC LIMIT 20""",
    Report.UNUSED_INDEXES: """
        SELECT schemaname || '.' || relname AS table, indexrelname AS index,
            pg_relation_size(i.indexrelid) AS size_bytes, 'yellow' AS color
        FROM pg_stat_user_indexes ui JOIN pg_index i ON ui.indexrelid = i.indexrelid
        WHERE NOT indisunique AND idx_scan = 0 AND pg_relation_size(i.indexrelid) > 1048576
        ORDER BY pg_relation_size(i.indexrelid) DESC LIMIT 20""",
    Report.BLOAT: """
        SELECT schemaname || '.' || relname AS name, n_dead_tup AS dead_rows, n_live_tup AS rows,
            CASE WHEN n_dead_tup > n_live_tup THEN 'red' ELSE 'yellow' END AS color
        FROM pg_stat_user_tables WHERE n_dead_tup > 10000 AND n_dead_tup > n_live_tup / 5
        ORDER BY n_dead_tup DESC LIMIT 20""",
}


def query(datastore: Datastore, report: Report, name: str) -> str:
    """Its rows as one line of JSON. name: of the app's database, as a quoted string."""
    body = _QUERIES.get(report) or _of_numbers(datastore, report, name)
    return (
        "SET search_path = pg_catalog; SET statement_timeout = '10s'; SET lock_timeout = '2s';\n"
        "SET default_transaction_read_only = on;\n"
        f"SELECT coalesce(json_agg(found), '[]')::text FROM ({body}) AS found;\n"
    )


def end(pid: int, name: str) -> str:
    """Ends the session of a client of the app's database; prints ``t`` if there was one."""
    return (
        "SET search_path = pg_catalog;\n"
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid:d} "
        f"AND datname = {name} AND backend_type = 'client backend' "
        "AND usename <> current_user;\n"
    )


def _of_numbers(datastore: Datastore, report: Report, name: str) -> str:
    if report is Report.OUTLIERS:
        return f"""
        SELECT round(total_exec_time)::bigint AS total_ms, calls,
            round((100 * total_exec_time / nullif(sum(total_exec_time) OVER (), 0))::numeric, 1)
            AS percent, left(query, 500) AS query
        FROM public.pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
        JOIN pg_roles r ON r.oid = s.userid
        WHERE d.datname = {name} AND r.rolname <> current_user
        ORDER BY total_exec_time DESC LIMIT 10"""
    limit = datastore.plan.connections
    return f"""
        SELECT count(*) AS connections, {limit:d} AS most,
            CASE WHEN count(*) >= 0.9 * {limit:d} THEN 'red'
                WHEN count(*) >= 0.75 * {limit:d} THEN 'yellow' ELSE 'green' END AS color
        FROM pg_stat_activity WHERE {_CLIENTS}"""
