"""Processes on the machine itself, isolated by the launcher."""
