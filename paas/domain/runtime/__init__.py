"""What an engine runs."""
