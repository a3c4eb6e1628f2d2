"""``paas`` on a laptop: finds the server and the app, and goes there over ssh."""
