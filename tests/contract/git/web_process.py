"""The web process without its proxy: ``web_process.py GATE_SOCKET PORT``, at a port of loopback."""

import sys
from pathlib import Path

from paas.entrypoints.web.app import make_git
from paas.entrypoints.web.git import GitHttp
from paas.entrypoints.web.server import WebServer

if __name__ == "__main__":
    git = GitHttp(Path(sys.argv[1]), 1024**2)
    WebServer(lambda: make_git(git), f"127.0.0.1:{sys.argv[2]}").run()
