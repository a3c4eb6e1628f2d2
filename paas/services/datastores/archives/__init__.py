"""Archives of datastores: when they are made, who is told about them, and restoring from them."""
