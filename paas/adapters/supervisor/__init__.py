"""supervisord: its configuration, its client, and the plugin inside it."""
