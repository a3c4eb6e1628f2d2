"""The tables of image builds, as one migration of schema.py."""

IMAGE_BUILDS = """
CREATE TABLE builders (
    app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    builder TEXT NOT NULL,
    dockerfile TEXT,
    target TEXT
) STRICT;
CREATE TABLE container_ports (
    app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
    port INTEGER NOT NULL
) STRICT;
CREATE TABLE build_values (
    app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (app_id, kind, name)
) STRICT;
"""
