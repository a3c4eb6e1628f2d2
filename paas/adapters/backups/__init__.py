"""Adapters for backups: their settings, their key, and the targets that store them."""
