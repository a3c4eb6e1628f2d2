"""Run uv or uvx with the settings that pip has in environment variables.

Usage: uv_settings.py ENV PROGRAM ARGUMENT... ENV has a file for each config var (Heroku's buildpack
API). Standard library only.
"""

import os
import sys
from collections.abc import Container, MutableMapping
from pathlib import Path

# pip's name, uv's name, and uv's other name for the same setting.
SAME = (
    ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    ("PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX"),
    ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST", "UV_INSECURE_HOST"),
    ("PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_FILE"),
    ("PIP_FIND_LINKS", "UV_FIND_LINKS", "UV_FIND_LINKS"),
)


def translate(environment: MutableMapping[str, str], own: Container[str]) -> None:
    """Set uv's variables from pip's, unless one of uv's own is set.

    own: the names of the app's config vars. The app's settings for pip take precedence over the
    server's for uv; otherwise private packages could come from another index.
    """
    for pip, uv, other in SAME:
        value = environment.get(pip, "")
        if value and pip in own and uv not in own and other not in own:
            environment.pop(uv, None)
            environment.pop(other, None)
        if value and not environment.get(uv) and not environment.get(other):
            # pip separates several locations with spaces, uv with commas.
            environment[uv] = value.replace(" ", ",") if pip == "PIP_FIND_LINKS" else value


if __name__ == "__main__":
    translate(os.environ, {path.name for path in Path(sys.argv[1]).iterdir()})
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606
