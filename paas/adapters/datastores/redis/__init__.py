"""Redis, or Valkey, as the distribution packages it, one server for each datastore."""
