"""Users, keys, and who may do what."""
