"""Builds and buildpacks."""
