"""Dumps of datastores: made by schedule and on demand, kept, taken out and loaded."""
