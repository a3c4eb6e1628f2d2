"""Domains, router settings, static files, proxies."""
