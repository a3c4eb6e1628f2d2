"""PgBouncer as Debian packages it, one for each datastore that pools connections."""
