"""Apps, their users, config, processes and storage."""
