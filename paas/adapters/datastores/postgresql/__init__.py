"""PostgreSQL as Debian packages it, one server for each datastore."""
