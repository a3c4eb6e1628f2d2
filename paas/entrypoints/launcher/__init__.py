"""How a root process of the supervisor becomes an app's own, isolated; see launcher.py."""
