"""The streams process: logs over HTTP and rendezvous over TLS. It has no rights."""
