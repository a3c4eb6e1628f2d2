"""Where metrics come from, and the files that keep them."""
