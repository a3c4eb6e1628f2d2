"""Metrics: collecting them, and showing them."""
