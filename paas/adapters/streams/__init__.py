"""What streams need of the machine."""
