"""Followers: datastores that are read-only copies of another one."""
