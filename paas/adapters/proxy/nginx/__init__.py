"""Nginx as the proxy."""
