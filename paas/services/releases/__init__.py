"""Releases: starting, switching, draining, rolling back."""
