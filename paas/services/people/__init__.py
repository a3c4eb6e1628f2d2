"""Users, and the keys that they log in with."""
