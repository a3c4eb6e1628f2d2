"""The machines that belong to a server beside its own."""
