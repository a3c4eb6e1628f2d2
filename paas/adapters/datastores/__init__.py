"""Adapters for datastores."""
