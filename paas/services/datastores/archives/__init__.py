"""Archives of datastores: when they are made, what tells of them, and what is made from them."""
