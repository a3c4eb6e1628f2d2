"""The gate's clients on the server: link.py asks, become.py executes what it allows."""
