"""How the processes of apps run."""
