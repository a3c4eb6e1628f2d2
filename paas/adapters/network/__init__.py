"""Ports, the firewall, name resolution, and the health probe."""
