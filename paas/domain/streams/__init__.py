"""Streams over HTTP and TLS: logs that are followed, and processes that somebody attends."""
