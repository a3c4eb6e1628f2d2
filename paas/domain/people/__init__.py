"""People: users with their keys, and who may do what with an app."""
