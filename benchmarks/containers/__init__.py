"""A server with a Docker engine, and an app that runs there in a container."""
