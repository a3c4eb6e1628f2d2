"""flask-hello with a Dockerfile that brings its packages along."""

import shutil
from pathlib import Path

from benchmarks.commands import ENVIRONMENT, run
from benchmarks.containers.server import BASE
from benchmarks.plain.app import SYSTEM_PYTHON
from benchmarks.server import Server

PORT = 8000
# RUN writes bytecode, since an app's user may not do so at each start.
DOCKERFILE = f"""\
FROM {BASE}
ENV PYTHONPATH=/srv/vendor PYTHONUNBUFFERED=1
WORKDIR /srv
COPY vendor vendor
RUN python3 -c "import flask, gunicorn.app.wsgiapp, gunicorn.arbiter, gunicorn.workers.sync"
COPY app.py .
EXPOSE {PORT}
CMD exec python3 -m gunicorn --bind 0.0.0.0:$PORT --workers 2 app:app
"""


def make_example(server: Server, example: Path, target: Path) -> None:
    """Make the project's files. example: flask-hello."""
    target.mkdir()
    shutil.copy(example / "app.py", target)
    (target / "Dockerfile").write_text(DOCKERFILE)
    words = ["pip", "install", "--quiet", "--no-config", "--python", SYSTEM_PYTHON]
    words += ["--target", str(target / "vendor"), "--requirements"]
    env = {**ENVIRONMENT, **server.build_env, "UV_CACHE_DIR": str(target.parent / "docker-uv")}
    run([server.uv, *words, example / "requirements.txt"], env=env)
