"""Sending notifications, by a process without rights."""
