"""How a root process of the supervisor becomes an isolated process of an app; see launcher.py."""
