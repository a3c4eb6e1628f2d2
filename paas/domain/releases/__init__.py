"""Releases, formations, and how instances start and stop."""
