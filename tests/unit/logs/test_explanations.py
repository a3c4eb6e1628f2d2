"""What the last lines of a program that ended say of the cause: each as the programs print it."""

import pytest

from paas.domain.logs.explanations import explained

GUNICORN = """[2026-11-28 20:11:45 +0000] [1675] [INFO] Starting gunicorn 27.0.1
[2026-11-28 20:11:45 +0000] [1740] [INFO] Booting worker with pid: 1740
Failed to find attribute 'ap' in 'app'.
[2026-11-28 20:11:45 +0000] [1675] [ERROR] Reason: App failed to load."""
GUNICORN_MODULE = """[2026-11-28 20:11:47 +0000] [1769] [INFO] Starting gunicorn 27.0.1
Traceback (most recent call last):
  File "/app/.venv/lib/python3.11/site-packages/gunicorn/util.py", line 370, in import_app
    mod = importlib.import_module(module)
  File "<frozen importlib._bootstrap>", line 1140, in _find_and_load_unlocked
ModuleNotFoundError: No module named 'ap'"""
GRANIAN = """  File "/app/.venv/lib/python3.11/site-packages/granian/_internal.py", line 68
    rv = getattr(rv, element)
AttributeError: module 'app' has no attribute 'ap'
[ERROR] Unexpected exit from worker-1"""
WAITRESS = """There was an exception (AttributeError) importing your module.
It had these arguments:
1. module 'app' has no attribute 'ap'"""
HYPERCORN = (
    "hypercorn.utils.NoAppError: Cannot load application from 'app:ap', application not found."
)
UVICORN_MODULE = 'ERROR:    Error loading ASGI app. Could not import module "ap".'
DIED = """INFO:     Uvicorn running on http://127.0.0.1:18992 (Press CTRL+C to quit)
INFO:     Waiting for child process [15760]
INFO:     Child process [15760] died"""
OWN_FAULT = """[2026-11-28 20:11:47 +0000] [1769] [INFO] Starting gunicorn 27.0.1
  File "/app/app.py", line 3, in <module>
    import os; os.nothing
AttributeError: module 'os' has no attribute 'nothing'"""

LIBRARY_IMPORT = """Error: class uri 'gevent' invalid or not found:
  File "/app/.venv/lib/python3.11/site-packages/gunicorn/util.py", line 130, in load_class
  File "<frozen importlib._bootstrap>", line 1206, in _gcd_import
  File "/app/.venv/lib/python3.11/site-packages/gunicorn/workers/ggevent.py", line 16, in <module>
    from packaging.version import parse as parse_version
ModuleNotFoundError: No module named 'packaging'"""
LIBRARY_FAULT = """[2026-11-28 20:11:47 +0000] [1769] [INFO] Starting gunicorn 27.0.1
  File "/app/.venv/lib/python3.12/site-packages/eventlet/green/ssl.py", line 24, in <module>
    _original_wrap_socket = __ssl.wrap_socket
AttributeError: module 'ssl' has no attribute 'wrap_socket'"""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (GUNICORN, "app.py has no 'ap', which the command names."),
        (GRANIAN, "app.py has no 'ap', which the command names."),
        (WAITRESS, "app.py has no 'ap', which the command names."),
        (HYPERCORN, "app.py has no 'ap', which the command names."),
        (
            'ERROR:    Error loading ASGI app. Attribute "ap" not found in module "shop.web".',
            "shop/web.py has no 'ap', which the command names.",
        ),
        (GUNICORN_MODULE, "There is no module 'ap' (ap.py), which the command names."),
        (UVICORN_MODULE, "There is no module 'ap' (ap.py), which the command names."),
        (
            "RuntimeError: Could not import 'ap'.",
            "There is no module 'ap' (ap.py), which the command names.",
        ),
    ],
)
def test_the_command_names_what_is_not_there(lines: str, message: str) -> None:
    """Whatever the server, one sentence that names the file."""
    found = explained(lines.splitlines())
    assert found is not None
    assert found.message == message


def test_what_gunicorns_worker_class_needs() -> None:
    """It is not the app's fault, but to add it is the remedy."""
    found = explained(LIBRARY_IMPORT.splitlines())
    assert found is not None
    assert found.message == (
        "Gunicorn's worker class 'gevent' needs the module 'packaging', which is not installed."
    )
    assert "echo packaging >> requirements.txt" in found.hint


@pytest.mark.parametrize("lines", [LIBRARY_FAULT])
def test_a_fault_in_a_library_is_shown_as_it_is(lines: str) -> None:
    """The command does not name what a package lacks."""
    assert explained(lines.splitlines()) is None


@pytest.mark.parametrize("lines", [OWN_FAULT, "", "Traceback (most recent call last):"])
def test_a_fault_in_the_app_is_shown_as_it_is(lines: str) -> None:
    """What happens inside the app's own code only its traceback tells."""
    assert explained(lines.splitlines()) is None


@pytest.mark.parametrize(
    "line",
    [
        "/bin/bash: line 1: bin/web: Permission denied",
        "bash: ./bin/web: Permission denied",
        "/bin/bash: line 1: /app/bin/web: Permission denied",
        "sh: 1: exec: ./bin/web: Permission denied",
        "env: \u2018bin/web\u2019: Permission denied",
    ],
)
def test_a_script_without_its_executable_bit(line: str) -> None:
    """The remedy is git's, since a chmod is not seen on Windows."""
    found = explained(["starting", line])
    assert found is not None
    assert found.message == "bin/web cannot be run: it has no executable bit (Permission denied)."
    assert "git update-index --chmod=+x bin/web" in found.hint


def test_no_other_permission_is_taken_for_it() -> None:
    """An app that may not write somewhere says so itself."""
    assert explained(["PermissionError: [Errno 13] Permission denied: '/data/x'"]) is None
    assert explained(["cp: cannot create regular file '/x': Permission denied"]) is None


@pytest.mark.parametrize(
    "line",
    [
        "/usr/bin/env: \u2018bash\\r\u2019: No such file or directory",
        "/usr/bin/env: 'bash\\r': No such file or directory",
        "/usr/bin/env: \u2018python3\\r\u2019: No such file or directory",
        "/bin/bash: line 1: bin/web: /bin/bash^M: bad interpreter: No such file or directory",
        "w4: line 3: $'\\r': command not found",
        "w4: line 2: $'foo\\r': command not found",
        "/bin/bash: line 1: bin/web: cannot execute: required file not found",
    ],
)
def test_windows_line_ends(line: str) -> None:
    """As env, bash and the kernel tell of them."""
    found = explained([line])
    assert found is not None
    assert "Windows line endings (CRLF)" in found.message
    assert ".gitattributes" in found.hint


def test_a_pruned_program() -> None:
    """What the Node.js buildpack leaves in its place says where it went."""
    line = "paas: nx came with a package of devDependencies, which are removed after the build."
    found = explained(["> nx serve", line])
    assert found is not None
    assert found.message.startswith("nx came with a package of devDependencies")
    assert "NPM_CONFIG_PRODUCTION=false" in found.hint


def test_workers_that_uvicorn_ends() -> None:
    """Those that import for too long; not those that end by a fault of their own."""
    found = explained(DIED.splitlines())
    assert found is not None
    assert found.message.startswith("uvicorn ended its worker processes")
    assert "WEB_CONCURRENCY=1" in found.hint
    assert explained([*DIED.splitlines(), "Traceback (most recent call last):"]) is None
