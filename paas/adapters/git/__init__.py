"""Repositories, their refs and trees, and Git LFS objects."""
