"""Certificates: their files, reading them, and certbot."""
