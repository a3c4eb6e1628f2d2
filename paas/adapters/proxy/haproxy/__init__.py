"""HAProxy as the proxy."""
