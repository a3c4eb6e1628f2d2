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
