"""What runs in the sandbox to fetch code from elsewhere: needs the standard library and git."""
