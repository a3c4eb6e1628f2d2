"""What an app declares: app.json, Procfile, health checks, env files."""
