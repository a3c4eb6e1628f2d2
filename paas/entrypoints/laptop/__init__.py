"""``paas`` on a laptop: finds the server and the app, and connects over ssh."""
