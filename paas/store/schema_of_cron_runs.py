"""The history of cron jobs, as one migration of schema.py."""

CRON_RUNS = """
    CREATE TABLE cron_runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        app_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        user TEXT NOT NULL,
        version INTEGER NOT NULL,
        started TEXT NOT NULL,
        ended TEXT,
        status INTEGER,
        shortage TEXT NOT NULL DEFAULT '',
        FOREIGN KEY (app_id, name) REFERENCES cron (app_id, name) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX cron_runs_by_job ON cron_runs (app_id, name);
    """
