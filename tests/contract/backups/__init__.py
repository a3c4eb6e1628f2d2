"""Backups on the real thing: files, S3 over HTTP, age."""
