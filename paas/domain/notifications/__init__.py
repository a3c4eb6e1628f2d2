"""Notifications: whom they go to, and what they say."""
