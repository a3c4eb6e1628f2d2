"""The engine swarm: instances as services of one container each, which Swarm keeps on a node."""
