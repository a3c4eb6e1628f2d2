"""Git LFS over SSH: needs the standard library only."""
