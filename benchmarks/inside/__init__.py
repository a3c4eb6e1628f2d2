"""What runs in the server's own Python, with the platform's code."""
