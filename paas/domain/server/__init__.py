"""What doctor finds, and what is in the trash."""
