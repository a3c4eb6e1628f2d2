"""What runs in the sandbox to fetch code from other servers: needs the standard library and git."""
