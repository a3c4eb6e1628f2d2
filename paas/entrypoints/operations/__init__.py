"""What the gate does for the API: each operation is a command, for programs instead of people."""
