"""Logs as files, and forwarding them to drains."""
