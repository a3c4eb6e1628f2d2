"""One-off processes and cron jobs."""
