"""Backups: where they are kept, and what they are encrypted with."""
