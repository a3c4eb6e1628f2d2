"""Heroku's Platform API, version 3: each noun in a file, with what it answers."""
