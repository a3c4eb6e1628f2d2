"""A self-hosted, Heroku-style platform: git push deploy main."""

__version__ = "0.2.0"
