"""The tables of pipelines and promotions, as one migration of schema.py."""

PIPELINES = """
    CREATE TABLE pipelines (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        owner TEXT REFERENCES users (name) ON DELETE SET NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX pipelines_by_owner ON pipelines (owner);
    CREATE TABLE pipeline_apps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id) ON DELETE CASCADE,
        app_id INTEGER NOT NULL UNIQUE REFERENCES apps (id) ON DELETE CASCADE,
        stage TEXT NOT NULL,
        added_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX pipeline_apps_by_pipeline ON pipeline_apps (pipeline_id);
    CREATE TABLE promotions (
        app_id INTEGER NOT NULL,
        version INTEGER NOT NULL,
        source_app_id INTEGER NOT NULL,
        source_version INTEGER NOT NULL,
        PRIMARY KEY (app_id, version),
        FOREIGN KEY (app_id, version) REFERENCES releases (app_id, version) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX promotions_by_source ON promotions (source_app_id, source_version);
    """
