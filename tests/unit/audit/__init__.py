"""The audit trail: its lines, and who sees what."""
