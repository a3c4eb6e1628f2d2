"""What sshd reads, and reading public keys."""
