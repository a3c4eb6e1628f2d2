"""Docker Swarm, whose manager this server is, and the machines that belong to it, by ssh."""
