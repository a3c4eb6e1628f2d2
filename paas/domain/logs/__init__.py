"""Log lines, drains, and what a last line says of a cause."""
