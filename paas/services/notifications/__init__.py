"""Telling people of troubles, once, and when they are over."""
