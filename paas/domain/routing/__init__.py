"""Sites: hosts, router settings, static files."""
