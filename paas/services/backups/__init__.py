"""Backups: where they go, and with which key."""
