"""Files, locks, subprocesses and other parts of the operating system."""
