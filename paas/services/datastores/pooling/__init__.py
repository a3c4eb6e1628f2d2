"""Poolers: the connections that apps share to a datastore."""
