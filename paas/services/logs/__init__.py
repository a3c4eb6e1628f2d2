"""Log drains."""
