"""Backups: where they are stored, and how they are encrypted."""
