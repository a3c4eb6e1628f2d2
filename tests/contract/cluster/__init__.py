"""The swarm and its machines, as network namespaces."""
