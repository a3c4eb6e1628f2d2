"""The first migrations of schema.py, from an empty database to quotas; complete."""

FIRST = (
    """
    CREATE TABLE users (
        name TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE keys (
        fingerprint TEXT PRIMARY KEY,
        user TEXT NOT NULL REFERENCES users (name),
        kind TEXT NOT NULL,
        body TEXT NOT NULL,
        comment TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE apps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        uid INTEGER NOT NULL UNIQUE,
        owner TEXT REFERENCES users (name),
        deploy_branch TEXT,
        current INTEGER,
        generation INTEGER,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE formation (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        PRIMARY KEY (app_id, kind)
    ) STRICT;
    CREATE TABLE builds (
        id TEXT PRIMARY KEY,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        commit_id TEXT NOT NULL,
        user TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        created_at TEXT NOT NULL,
        ended_at TEXT
    ) STRICT;
    CREATE INDEX builds_of_app ON builds (app_id, created_at);
    CREATE TABLE slugs (
        id TEXT PRIMARY KEY,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        commit_id TEXT NOT NULL,
        processes TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE releases (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        slug_id TEXT,
        config TEXT NOT NULL,
        status TEXT NOT NULL,
        description TEXT NOT NULL,
        user TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (app_id, version)
    ) STRICT;
    CREATE TABLE instances (
        app_id INTEGER NOT NULL,
        version INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        kind TEXT NOT NULL,
        number INTEGER NOT NULL,
        port INTEGER UNIQUE,
        PRIMARY KEY (generation, kind, number)
    ) STRICT;
    CREATE INDEX instances_of_app ON instances (app_id);
    CREATE TABLE generations (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT;
    """,
    """
    CREATE TABLE buildpacks (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        source TEXT NOT NULL,
        PRIMARY KEY (app_id, position)
    ) STRICT;
    CREATE TABLE build_dirs (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        folder TEXT NOT NULL
    ) STRICT;
    ALTER TABLE slugs ADD COLUMN static TEXT;
    """,
    """
    ALTER TABLE slugs ADD COLUMN app_json BLOB;
    """,
    """
    CREATE TABLE stopped (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        word TEXT NOT NULL,
        PRIMARY KEY (app_id, word)
    ) STRICT;
    ALTER TABLE instances ADD COLUMN kept INTEGER;
    CREATE TABLE app_locks (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        user TEXT NOT NULL,
        reason TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE storage (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        UNIQUE (app_id, path)
    ) STRICT;
    CREATE TABLE maintenance (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE
    ) STRICT;
    """,
    """
    CREATE TABLE routing (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        value TEXT NOT NULL
    ) STRICT;
    CREATE TABLE hosts (
        host TEXT PRIMARY KEY,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE
    ) STRICT;
    """,
    """
    CREATE TABLE drains (
        token TEXT PRIMARY KEY,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        url TEXT NOT NULL,
        UNIQUE (app_id, url)
    ) STRICT;
    """,
    """
    CREATE TABLE cron (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        suspended INTEGER,
        due TEXT,
        started TEXT,
        user TEXT,
        ended TEXT,
        status INTEGER,
        missed INTEGER NOT NULL DEFAULT 0,
        missed_at TEXT,
        PRIMARY KEY (app_id, name)
    ) STRICT;
    """,
    """
    CREATE TABLE certificates (
        id TEXT PRIMARY KEY,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        origin TEXT NOT NULL,
        facts TEXT NOT NULL,
        added_at TEXT NOT NULL,
        warned TEXT
    ) STRICT;
    CREATE INDEX certificates_of_app ON certificates (app_id);
    CREATE TABLE auto_certificates (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE certificate_attempts (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        host TEXT NOT NULL,
        count INTEGER NOT NULL,
        at TEXT NOT NULL,
        again TEXT NOT NULL,
        reason TEXT NOT NULL,
        refusals TEXT NOT NULL,
        PRIMARY KEY (app_id, host)
    ) STRICT;
    """,
    """
    CREATE TABLE destroyed (
        id INTEGER PRIMARY KEY,
        uid INTEGER NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE gone (
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        PRIMARY KEY (kind, id)
    ) STRICT;
    """,
    """
    CREATE TABLE identity (
        id TEXT NOT NULL,
        changes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO identity VALUES (lower(hex(randomblob(16))), 0);
    """,
    """
    CREATE TABLE start_limits (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        seconds INTEGER NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE allocations (
        kind TEXT NOT NULL,
        number INTEGER NOT NULL,
        holder TEXT NOT NULL,
        holder_id TEXT NOT NULL,
        PRIMARY KEY (kind, number)
    ) STRICT;
    INSERT INTO allocations SELECT 'uid', uid, 'app', CAST(id AS TEXT) FROM apps;
    INSERT OR IGNORE INTO allocations SELECT 'uid', uid, 'app', CAST(id AS TEXT) FROM destroyed;
    INSERT INTO allocations
        SELECT 'port', port, 'instance',
            app_id || '-v' || version || '-' || generation || '-' || kind || '.' || number
        FROM instances WHERE port IS NOT NULL;
    CREATE TABLE uids_given (count INTEGER NOT NULL) STRICT;
    INSERT INTO uids_given
        SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'apps';
    """,
    """
    ALTER TABLE instances ADD COLUMN address TEXT NOT NULL DEFAULT '127.0.0.1';
    """,
    """
    ALTER TABLE apps ADD COLUMN engine TEXT NOT NULL DEFAULT 'native';
    """,
    """
    CREATE TABLE domain_tokens (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        token TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE pending_domains (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        host TEXT NOT NULL,
        user TEXT NOT NULL,
        since TEXT NOT NULL,
        again TEXT NOT NULL,
        redirect_to TEXT,
        redirect_code INTEGER,
        tries INTEGER NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (app_id, host)
    ) STRICT;
    CREATE INDEX pending_domains_again ON pending_domains (again);
    """,
    """
    CREATE TABLE resource_limits (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        resource TEXT NOT NULL,
        amount INTEGER NOT NULL,
        PRIMARY KEY (app_id, kind, resource)
    ) STRICT;
    """,
    """
    ALTER TABLE apps ADD COLUMN user_namespaces INTEGER NOT NULL DEFAULT 0;
    """,
    """
    CREATE TABLE sealing (key_id TEXT NOT NULL, scrubbed INTEGER NOT NULL) STRICT;
    """,
    """
    CREATE TABLE user_quotas (
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        name TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (user, name)
    ) STRICT;
    CREATE TABLE app_quotas (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (app_id, name)
    ) STRICT;
    """,
    """
    ALTER TABLE keys ADD COLUMN expires_at TEXT;
    """,
)
