"""What an app says of itself: app.json, Procfile, health checks, env files."""
