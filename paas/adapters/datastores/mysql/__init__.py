"""MariaDB as Debian packages it, one server for each datastore of the kind mysql."""
