"""Datastores: servers that keep the apps' data."""
