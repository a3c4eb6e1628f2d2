"""Faults of an app's own code, from the lines that Gunicorn, Python, Node.js and shells print."""

import pytest

from paas.domain.logs.explanations import explained

BOOTING = """[2026-11-29 02:19:22 +0000] [22526] [ERROR] Exception in worker process
Traceback (most recent call last):
  File "/app/.venv/lib/python3.11/site-packages/gunicorn/util.py", line 420, in import_app
    mod = importlib.import_module(module)
          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "<frozen importlib._bootstrap>", line 241, in _call_with_frames_removed
"""
AFTER = """
[2026-11-29 02:19:22 +0000] [22533] [INFO] Worker exiting (pid: 22533)
[2026-11-29 02:19:22 +0000] [22523] [INFO] Control socket listening at /app/gunicorn.ctl"""
MODULE = """  File "/app/shop/app.py", line 1, in <module>
    import flask
ModuleNotFoundError: No module named 'flask'
No module named 'flask'"""
SYNTAX = """  File "/app/app.py", line 1, in <module>
    import other
  File "/app/other.py", line 7
    def x(:
          ^
SyntaxError: invalid syntax
invalid syntax (other.py, line 7)"""
VARIABLE = """  File "/app/app.py", line 2, in <module>
    KEY=os.environ["SECRET_KEY"]
        ~~~~~~~~~~^^^^^^^^^^^^^^
  File "<frozen os>", line 679, in __getitem__
KeyError: 'SECRET_KEY'
'SECRET_KEY'"""
IN_A_PACKAGE = """  File "/app/app.py", line 1, in <module>
    import flask
  File "/app/.venv/lib/python3.11/site-packages/flask/__init__.py", line 3, in <module>
    import gone
ModuleNotFoundError: No module named 'gone'"""
ANOTHER_KEY = """  File "/app/app.py", line 2, in <module>
    {}["SECRET_KEY"]
KeyError: 'SECRET_KEY'"""
REQUIRE = """node:internal/modules/cjs/loader:1210
  throw err;
  ^

Error: Cannot find module '%s'
Require stack:
- %s
    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)
  code: 'MODULE_NOT_FOUND',
  requireStack: [ '/app/server.js' ]
}

Node.js v20.20.2"""
IMPORT = """  throw new ERR_MODULE_NOT_FOUND(packageName, fileURLToPath(base), null);
Error [ERR_MODULE_NOT_FOUND]: Cannot find %s imported from %s
    at packageResolve (node:internal/modules/esm/resolve:873:9)"""


def message(text: str) -> str | None:
    """The messages about it."""
    found = explained(text.splitlines())
    return None if found is None else found.message


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (MODULE, "shop/app.py, line 1: the module 'flask' is not installed."),
        (SYNTAX, "other.py, line 7: the app has a syntax error: invalid syntax."),
        (VARIABLE, "app.py, line 2: the app needs the config var SECRET_KEY, which is not set."),
        (IN_A_PACKAGE, None),
        (ANOTHER_KEY, None),
    ],
)
def test_python(lines: str, expected: str | None) -> None:
    """The last error counts, whatever the server says after it."""
    earlier = f"{BOOTING}ModuleNotFoundError: No module named 'earlier'\n"
    assert message(f"{earlier}{BOOTING}{lines}{AFTER}") == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            REQUIRE % ("express", "/app/server.js"),
            "server.js needs the package 'express', which is not installed.",
        ),
        (
            REQUIRE % ("./Routes", "/app/src/server.js"),
            "src/server.js needs the file './Routes', which is not there.",
        ),
        (REQUIRE % ("gone", "/app/node_modules/dep/index.js"), None),
        (
            IMPORT % ("package 'express'", "/app/server.mjs"),
            "server.mjs needs the package 'express', which is not installed.",
        ),
        (
            IMPORT % ("module '/app/Routes.js'", "/app/server.mjs"),
            "server.mjs needs the file 'Routes.js', which is not there.",
        ),
        (IMPORT % ("package 'gone'", "/app/node_modules/dep/index.mjs"), None),
        (
            "/app/src/a.js:7\nconst x = {;\n           ^\n\nSyntaxError: Unexpected token ';'\n"
            "    at wrapSafe (node:internal/modules/cjs/loader:1464:18)",
            "src/a.js, line 7: the app has a syntax error: Unexpected token ';'.",
        ),
        ("/app/node_modules/x/a.js:7\nx {\n\nSyntaxError: Unexpected token '{'", None),
        (
            "Error: listen EACCES: permission denied 0.0.0.0:80",
            "The app may not listen on port 80; the port for it is $PORT.",
        ),
        (
            "Error: Cannot find module '/app/serve.js'\n    at Module._resolveFilename",
            "There is no file serve.js, which the command names.",
        ),
    ],
)
def test_node(lines: str, expected: str | None) -> None:
    """Packages and files; what a package lacks is not the app's fault."""
    assert message(f"\n> start\n> node server.js\n{lines}") == expected


@pytest.mark.parametrize(
    "line",
    [
        "/bin/bash: line 1: gunicron: command not found",
        "bash: line 1: exec: gunicron: not found",
        "sh: 1: gunicron: not found",
    ],
)
def test_a_program_that_is_not_there(line: str) -> None:
    """The last word of the shell; a script that continues ends for another reason."""
    assert message(f"starting\n{line}\n") == "There is no program 'gunicron'."
    assert message(f"{line}\nValueError: x") is None


def test_a_port_that_is_not_for_apps() -> None:
    """As Gunicorn says it; another port may be taken."""
    line = "[2026-11-29 03:15:03 +0000] [1677] [ERROR] Can't connect to ('', %d)"
    assert message(line % 80) == "The app may not listen on port 80; the port for it is $PORT."
    assert message(line % 8000) is None


def test_colors_do_not_matter() -> None:
    """Some programs print them whatever they write to."""
    assert message("\x1b[31mbash: line 1: x: command not found\x1b[0m") is not None
