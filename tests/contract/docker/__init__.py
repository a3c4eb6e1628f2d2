"""The engine of containers on a real Docker."""
