"""A one-off process whose user is at the other end of a rendezvous."""
