"""Archives of datastores: when they are made, who is informed, and how to restore from them."""
