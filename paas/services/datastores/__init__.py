"""Datastores: creating, attaching, using and destroying them."""
