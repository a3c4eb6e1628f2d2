"""Dumps of datastores: made on schedule and on demand, kept, downloaded and loaded."""
