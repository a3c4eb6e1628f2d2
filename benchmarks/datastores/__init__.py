"""What the figures of datastores know of each kind: its load, and a hand-made server of it."""
