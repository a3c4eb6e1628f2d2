"""The programs that run all the time, and the one that starts them."""
