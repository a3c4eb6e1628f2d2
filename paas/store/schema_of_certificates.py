"""What apps chose about certificates, and what the issuer was asked, as migrations of schema.py."""

CERTIFICATE_ORDERS = """
    ALTER TABLE auto_certificates ADD COLUMN wanted INTEGER NOT NULL DEFAULT 1;
    CREATE TABLE certificate_orders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        names TEXT NOT NULL,
        domains TEXT NOT NULL,
        renews INTEGER NOT NULL,
        failed INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    """

DNS_CHALLENGE = """
    CREATE TABLE dns_challenge (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        provider TEXT NOT NULL,
        credentials TEXT NOT NULL,
        hook TEXT NOT NULL,
        set_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE shared_certificates (
        id TEXT PRIMARY KEY,
        facts TEXT NOT NULL,
        added_at TEXT NOT NULL,
        shown INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE shared_certificate_attempts (
        host TEXT PRIMARY KEY,
        count INTEGER NOT NULL,
        at TEXT NOT NULL,
        again TEXT NOT NULL,
        reason TEXT NOT NULL,
        refusals TEXT NOT NULL
    ) STRICT;
    """
