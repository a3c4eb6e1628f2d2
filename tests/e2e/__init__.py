"""A whole server in a temporary directory: real git, ssh, uv, Gunicorn, supervisord and Nginx."""
