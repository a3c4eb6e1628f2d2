"""Apps, their storage and environment."""
