"""The tables of previews, as one migration of schema.py."""

PREVIEWS = """
    CREATE TABLE preview_settings (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        config TEXT NOT NULL,
        lifetime_s INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE previews (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        parent_id INTEGER REFERENCES apps (id) ON DELETE SET NULL,
        branch TEXT NOT NULL,
        pull_request INTEGER,
        forge TEXT,
        commit_id TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        wanted INTEGER NOT NULL DEFAULT 0,
        done INTEGER NOT NULL DEFAULT 0,
        ended TEXT,
        result TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE UNIQUE INDEX previews_by_pull_request ON previews (parent_id, pull_request)
        WHERE pull_request IS NOT NULL;
    CREATE UNIQUE INDEX previews_by_branch ON previews (parent_id, branch)
        WHERE pull_request IS NULL;
    """
