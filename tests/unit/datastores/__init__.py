"""Tests of datastores."""
