"""What a push may be, and why git refuses it."""
