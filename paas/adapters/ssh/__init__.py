"""The files that sshd reads, and reading public keys."""
