"""One-off processes, cron jobs and their scheduler."""
