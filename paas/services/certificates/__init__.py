"""Certificates, added or issued."""
