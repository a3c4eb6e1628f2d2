"""How requests get in."""
