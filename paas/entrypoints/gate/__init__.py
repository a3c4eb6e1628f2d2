"""The one gate that every entrance of the server leads to: server.py accepts, child.py serves."""
