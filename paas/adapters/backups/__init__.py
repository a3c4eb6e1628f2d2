"""Adapters for backups: their settings, their key, and the targets that keep them."""
