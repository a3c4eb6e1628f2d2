"""Tests of backups: targets, key, settings."""
