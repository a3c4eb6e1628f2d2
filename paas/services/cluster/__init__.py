"""The machines that belong to a server: adding, watching, emptying, removing them."""
