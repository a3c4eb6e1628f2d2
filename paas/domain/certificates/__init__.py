"""Certificates and how they are renewed."""
