"""What both proxies share, and choosing between them."""
