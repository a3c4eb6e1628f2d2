"""The installer behind install.sh: standard library only until the server's venv exists."""
