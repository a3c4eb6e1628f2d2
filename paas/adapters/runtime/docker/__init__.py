"""The engine docker: instances, runs and one-off commands as containers of this machine."""
