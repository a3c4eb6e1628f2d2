"""The database's schema, as forward migrations: entry n brings user_version from n to n + 1."""

from paas.store.first_migrations import FIRST
from paas.store.schema_of_certificates import CERTIFICATE_ORDERS, DNS_CHALLENGE
from paas.store.schema_of_cron_runs import CRON_RUNS
from paas.store.schema_of_image_builds import IMAGE_BUILDS
from paas.store.schema_of_pipelines import PIPELINES
from paas.store.schema_of_previews import PREVIEWS

MIGRATIONS = (
    *FIRST,
    """
    CREATE TABLE teams (
        name TEXT PRIMARY KEY,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE team_members (
        team TEXT NOT NULL REFERENCES teams (name) ON DELETE CASCADE,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        PRIMARY KEY (team, user)
    ) STRICT;
    CREATE INDEX team_members_by_user ON team_members (user);
    CREATE TABLE grants (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        user TEXT REFERENCES users (name) ON DELETE CASCADE,
        team TEXT REFERENCES teams (name) ON DELETE CASCADE,
        role TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (app_id, user),
        UNIQUE (app_id, team),
        CHECK ((user IS NULL) <> (team IS NULL))
    ) STRICT;
    INSERT INTO grants (app_id, user, role, created_at)
        SELECT id, owner, 'owner', created_at FROM apps WHERE owner IS NOT NULL ORDER BY id;
    ALTER TABLE apps DROP COLUMN owner;
    """,
    """
    CREATE TABLE tokens (
        hash TEXT PRIMARY KEY,
        prefix TEXT NOT NULL UNIQUE,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        note TEXT NOT NULL,
        app_id INTEGER REFERENCES apps (id) ON DELETE CASCADE,
        role TEXT,
        created_at TEXT NOT NULL,
        expires_at TEXT
    ) STRICT;
    CREATE INDEX tokens_by_user ON tokens (user);
    CREATE INDEX tokens_by_app ON tokens (app_id);
    """,
    """
    CREATE TABLE datastores (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        version TEXT NOT NULL,
        plan TEXT NOT NULL,
        app_id INTEGER NOT NULL REFERENCES apps (id),
        uid INTEGER NOT NULL UNIQUE,
        port INTEGER NOT NULL UNIQUE,
        state TEXT NOT NULL,
        password TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX datastores_by_app ON datastores (app_id);
    CREATE TABLE attachments (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        datastore_id INTEGER NOT NULL REFERENCES datastores (id),
        PRIMARY KEY (app_id, name)
    ) STRICT;
    CREATE INDEX attachments_by_datastore ON attachments (datastore_id);
    """,
    """
    ALTER TABLE datastores ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
    """,
    """
    CREATE TABLE dumps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        datastore TEXT NOT NULL,
        version TEXT NOT NULL,
        object TEXT NOT NULL,
        target TEXT NOT NULL,
        user TEXT,
        state TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        size_bytes INTEGER NOT NULL DEFAULT 0,
        sha256 TEXT NOT NULL DEFAULT '',
        why TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX dumps_by_app ON dumps (app_id);
    CREATE INDEX dumps_by_datastore ON dumps (datastore);
    CREATE TABLE dump_schedules (
        datastore_id INTEGER PRIMARY KEY REFERENCES datastores (id) ON DELETE CASCADE,
        at TEXT,
        zone TEXT NOT NULL,
        since TEXT NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE attachments ADD COLUMN scheme TEXT;
    """,
    """
    CREATE TABLE archive_runs (
        datastore_id INTEGER NOT NULL REFERENCES datastores (id) ON DELETE CASCADE,
        target TEXT NOT NULL,
        task TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT NOT NULL,
        outcome TEXT NOT NULL,
        words TEXT NOT NULL
    ) STRICT;
    CREATE INDEX archive_runs_by_datastore ON archive_runs (datastore_id);
    CREATE TABLE kept_archives (name TEXT PRIMARY KEY, until TEXT NOT NULL) STRICT;
    """,
    """
    ALTER TABLE datastores ADD COLUMN login_number INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE login_changes (
        datastore_id INTEGER PRIMARY KEY REFERENCES datastores (id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE former_login_apps (
        datastore_id INTEGER NOT NULL REFERENCES datastores (id) ON DELETE CASCADE,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        PRIMARY KEY (datastore_id, app_id)
    ) STRICT;
    """,
    """
    CREATE TABLE externals (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        url TEXT NOT NULL,
        version TEXT NOT NULL,
        encrypted INTEGER NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX externals_by_app ON externals (app_id);
    CREATE TABLE attachments_anew (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        datastore_id INTEGER REFERENCES datastores (id),
        external_id INTEGER REFERENCES externals (id) ON DELETE CASCADE,
        scheme TEXT,
        PRIMARY KEY (app_id, name),
        CHECK ((datastore_id IS NULL) <> (external_id IS NULL))
    ) STRICT;
    INSERT INTO attachments_anew (app_id, name, datastore_id, scheme)
        SELECT app_id, name, datastore_id, scheme FROM attachments ORDER BY rowid;
    DROP TABLE attachments;
    ALTER TABLE attachments_anew RENAME TO attachments;
    CREATE INDEX attachments_by_datastore ON attachments (datastore_id);
    CREATE INDEX attachments_by_external ON attachments (external_id);
    """,
    """
    CREATE TABLE poolers (
        datastore_id INTEGER PRIMARY KEY REFERENCES datastores (id) ON DELETE CASCADE,
        port INTEGER NOT NULL UNIQUE
    ) STRICT;
    ALTER TABLE attachments ADD COLUMN pooled INTEGER NOT NULL DEFAULT 0;
    """,
    """
    ALTER TABLE slugs ADD COLUMN image TEXT;
    CREATE TABLE instances_anew (
        app_id INTEGER NOT NULL,
        version INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        kind TEXT NOT NULL,
        number INTEGER NOT NULL,
        port INTEGER,
        kept INTEGER,
        address TEXT NOT NULL DEFAULT '127.0.0.1',
        engine TEXT NOT NULL DEFAULT 'native',
        PRIMARY KEY (generation, kind, number)
    ) STRICT;
    INSERT INTO instances_anew (app_id, version, generation, kind, number, port, kept, address)
        SELECT app_id, version, generation, kind, number, port, kept, address
        FROM instances ORDER BY rowid;
    DROP TABLE instances;
    ALTER TABLE instances_anew RENAME TO instances;
    CREATE INDEX instances_of_app ON instances (app_id);
    CREATE UNIQUE INDEX instances_by_port ON instances (port) WHERE engine = 'native';
    """,
    """
    ALTER TABLE dumps ADD COLUMN kind TEXT NOT NULL DEFAULT '';
    UPDATE dumps SET kind = substr(datastore, 1, instr(datastore, '-') - 1);
    CREATE TABLE external_dump_schedules (
        external_id INTEGER PRIMARY KEY REFERENCES externals (id) ON DELETE CASCADE,
        at TEXT,
        zone TEXT NOT NULL,
        since TEXT NOT NULL
    ) STRICT;
    """,
    IMAGE_BUILDS,
    "ALTER TABLE datastores ADD COLUMN leader_id INTEGER REFERENCES datastores (id)",
    "ALTER TABLE builders ADD COLUMN engine TEXT NOT NULL DEFAULT 'native'",
    """
    CREATE TABLE cluster (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        address TEXT NOT NULL
    ) STRICT;
    CREATE TABLE nodes (
        name TEXT PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        host TEXT NOT NULL,
        port INTEGER NOT NULL,
        address TEXT NOT NULL UNIQUE,
        added_at TEXT NOT NULL
    ) STRICT;
    """,
    "ALTER TABLE apps ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0",
    """
    CREATE TABLE scheduling (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        on_nodes INTEGER NOT NULL,
        spread TEXT,
        constraints TEXT NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE git_tokens (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        host TEXT NOT NULL,
        user TEXT NOT NULL,
        token TEXT NOT NULL,
        PRIMARY KEY (app_id, host)
    ) STRICT;
    CREATE TABLE deploy_keys (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        private TEXT NOT NULL,
        public TEXT NOT NULL
    ) STRICT;
    CREATE TABLE git_host_keys (
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE,
        host TEXT NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (app_id, host)
    ) STRICT;
    """,
    """
    CREATE TABLE webhooks (
        app_id INTEGER PRIMARY KEY REFERENCES apps (id) ON DELETE CASCADE,
        id TEXT NOT NULL UNIQUE,
        secret TEXT NOT NULL,
        url TEXT NOT NULL,
        branch TEXT NOT NULL,
        user TEXT REFERENCES users (name) ON DELETE CASCADE,
        wanted INTEGER NOT NULL DEFAULT 0,
        done INTEGER NOT NULL DEFAULT 0,
        last_at TEXT,
        last_forge TEXT,
        last_commit TEXT,
        last_result TEXT
    ) STRICT;
    CREATE INDEX webhooks_by_user ON webhooks (user);
    """,
    """
    ALTER TABLE tokens ADD COLUMN session INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE tokens ADD COLUMN made_with TEXT REFERENCES tokens (prefix) ON DELETE CASCADE;
    CREATE INDEX tokens_by_made_with ON tokens (made_with);
    CREATE TABLE login_links (
        hash TEXT PRIMARY KEY,
        prefix TEXT NOT NULL UNIQUE,
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        made_with TEXT REFERENCES tokens (prefix) ON DELETE CASCADE,
        until TEXT NOT NULL,
        expires_at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX login_links_by_user ON login_links (user);
    CREATE INDEX login_links_by_made_with ON login_links (made_with);
    """,
    """
    CREATE TABLE web_certificate (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        facts TEXT NOT NULL
    ) STRICT;
    CREATE TABLE web_certificate_attempt (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        host TEXT NOT NULL,
        count INTEGER NOT NULL,
        at TEXT NOT NULL,
        again TEXT NOT NULL,
        reason TEXT NOT NULL,
        refusals TEXT NOT NULL
    ) STRICT;
    """,
    """
    CREATE TABLE notifications (
        id TEXT PRIMARY KEY,
        app_id INTEGER REFERENCES apps (id) ON DELETE CASCADE,
        url TEXT NOT NULL,
        events TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    """,
    PIPELINES,
    CRON_RUNS,
    CERTIFICATE_ORDERS,
    PREVIEWS,
    DNS_CHALLENGE,
    "ALTER TABLE slugs ADD COLUMN dependencies TEXT",
    """
    CREATE TABLE tcp_ports (
        port INTEGER PRIMARY KEY,
        app_id INTEGER NOT NULL REFERENCES apps (id) ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX tcp_ports_by_app ON tcp_ports (app_id);
    """,
)
