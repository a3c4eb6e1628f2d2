"""Builds, buildpacks, and what they depend on."""
