"""Run a program of uv's with what pip would have been told by environment variables.

Usage: uv_settings.py PROGRAM ARGUMENT... Standard library only.
"""

import os
import sys
from collections.abc import MutableMapping

# pip's name, uv's name, and another name of uv's for the same.
SAME = (
    ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    ("PIP_EXTRA_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX"),
    ("PIP_TRUSTED_HOST", "UV_INSECURE_HOST", "UV_INSECURE_HOST"),
    ("PIP_CERT", "SSL_CERT_FILE", "SSL_CERT_FILE"),
    ("PIP_FIND_LINKS", "UV_FIND_LINKS", "UV_FIND_LINKS"),
)


def translate(environment: MutableMapping[str, str]) -> None:
    """Set uv's names from pip's, unless one of uv's own is set."""
    for pip, uv, other in SAME:
        value = environment.get(pip, "")
        if value and not environment.get(uv) and not environment.get(other):
            # Of several places pip separates one from the next by blanks, uv by commas.
            environment[uv] = value.replace(" ", ",") if pip == "PIP_FIND_LINKS" else value


if __name__ == "__main__":
    translate(os.environ)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
