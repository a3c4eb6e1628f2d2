"""Tests of datastores on the real programs."""
