"""Datastores: making, attaching, using and destroying them."""
