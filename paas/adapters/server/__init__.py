"""The server itself: its daemons, directories, disk and trash."""
