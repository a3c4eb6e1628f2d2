"""The entry points: what other programs and users start."""
