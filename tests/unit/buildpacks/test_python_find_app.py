"""The search for the web app of a project without a Procfile."""

from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import Project

MANAGE = """import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
from django.core.management import execute_from_command_line
"""
UVICORN = "uvicorn {} --host 127.0.0.1 --port $PORT --no-access-log"

FOUND = {
    "flask": (
        {"app.py": "from flask import Flask\napp = Flask(__name__)"},
        "gunicorn --threads 8 app:app",
    ),
    "application": (
        {"application.py": "application = object()"},
        "gunicorn --threads 8 application:application",
    ),
    "annotated": ({"main.py": "app: object = make()"}, "gunicorn --threads 8 main:app"),
    "imported": ({"wsgi.py": "from shop import app"}, "gunicorn --threads 8 wsgi:app"),
    "renamed": (
        {"wsgi.py": "from shop import web as application"},
        "gunicorn --threads 8 wsgi:application",
    ),
    "in-try": (
        {"app.py": "try:\n    app = a()\nexcept E:\n    pass"},
        "gunicorn --threads 8 app:app",
    ),
    "factory": (
        {"app.py": "def create_app(config=None): ..."},
        "gunicorn --threads 8 'app:create_app()'",
    ),
    "package": (
        {"app/__init__.py": "def create_app(): ..."},
        "gunicorn --threads 8 'app:create_app()'",
    ),
    "order": ({"main.py": "app = 1", "app.py": "app = 1"}, "gunicorn --threads 8 app:app"),
    "fastapi": ({"main.py": "import fastapi\napp = fastapi.FastAPI()"}, UVICORN.format("main:app")),
    "asgi": ({"asgi.py": "application = f()"}, UVICORN.format("asgi:application")),
    "fastapi-factory": (
        {"main.py": "from fastapi import FastAPI\ndef create_app():\n    return FastAPI()"},
        UVICORN.format("--factory main:create_app"),
    ),
    "another-name": ({"main.py": "api = FastAPI()"}, UVICORN.format("main:api")),
    "flask-quickstart": (
        {"hello.py": "from flask import Flask\n\napp = Flask(__name__)", "models.py": "db = 1"},
        "gunicorn --threads 8 hello:app",
    ),
    "flask-tutorial": (
        {"flaskr/__init__.py": "def create_app(test_config=None): ...", "tests/__init__.py": ""},
        "gunicorn --threads 8 'flaskr:create_app()'",
    ),
    "fastapi-package": (
        {"shop/__init__.py": "", "shop/main.py": "app = FastAPI()"},
        UVICORN.format("shop.main:app"),
    ),
    "runner": (
        {"run.py": "app = create_app()", "shop/__init__.py": "def create_app(): ..."},
        "gunicorn --threads 8 run:app",
    ),
    "installed-from-src": (
        {"pyproject.toml": "[build-system]", "src/shop/__init__.py": "app = Flask('shop')"},
        "gunicorn --threads 8 shop:app",
    ),
    "django": (
        {
            "manage.py": MANAGE,
            "shop/settings.py": "WSGI_APPLICATION = 'shop.wsgi.application'",
            "shop/wsgi.py": "application = 1",
        },
        "gunicorn --threads 8 shop.wsgi",
    ),
    "django-settings-package": (
        {"manage.py": MANAGE, "shop/settings/__init__.py": "WSGI_APPLICATION = 'web.run.app'"},
        "gunicorn --threads 8 web.run:app",
    ),
    "django-without-setting": (
        {"manage.py": MANAGE, "shop/settings.py": "", "shop/wsgi.py": "application = 1"},
        "gunicorn --threads 8 shop.wsgi",
    ),
}

NOT_FOUND = {
    "nothing": {"tool.py": "app = 1"},
    "not-installed-from-src": {"src/shop/__init__.py": "app = Flask('shop')"},
    "several": {"hello.py": "app = Flask('a')", "other.py": "app = Flask('b')"},
    "for-tests": {"tests/__init__.py": "app = Flask('a')", "conftest.py": "app = Flask('b')"},
    "as-a-program": {"app.py": "if __name__ == '__main__':\n    app = f()"},
    "unreadable-script": {"old.py": "print 'x'"},
    "factory-with-arguments": {"app.py": "def create_app(config): ..."},
    "not-top-level": {"app.py": "def f():\n    app = 1"},
    "two-django-projects": {"manage.py": MANAGE, "a/wsgi.py": "", "b/wsgi.py": ""},
    "hostile-setting": {"manage.py": MANAGE, "shop/settings.py": "WSGI_APPLICATION = 'a;id.b'"},
    "nested-too-deep": {"app.py": "app = " + "(" * 5_000 + ")" * 5_000},
    "nul": {"app.py": "app = 1\0"},
}


@pytest.mark.parametrize("name", FOUND)
def test_finds(name: str, tmp_path: Path) -> None:
    """Each usual way to name a web app gets the command that starts it."""
    files, command = FOUND[name]
    done = Project(tmp_path).write(files).find_app()
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[0] == command


@pytest.mark.parametrize("name", NOT_FOUND)
def test_does_not_find(name: str, tmp_path: Path) -> None:
    """What is not surely a web app is not started, and the files that were looked at are named."""
    done = Project(tmp_path).write(NOT_FOUND[name]).find_app()
    assert done.returncode in {1, 3}
    assert "Traceback" not in done.stdout


def test_never_runs_the_app(tmp_path: Path) -> None:
    """The app's code is parsed only."""
    project = Project(tmp_path).write({"app.py": "open('ran', 'w')\napp = 1"})
    project.find_app()
    assert not (project.app / "ran").exists()


def test_names_a_syntax_error(tmp_path: Path) -> None:
    """A file with a syntax error is named with its line."""
    done = Project(tmp_path).write({"app.py": "import os\ndef f(:\n"}).find_app()
    assert done.returncode == 3
    assert done.stdout.startswith("app.py, line 2: the app has a syntax error")


def test_names_several_apps(tmp_path: Path) -> None:
    """Which of them is started only a person knows."""
    files = {"hello.py": "app = Flask('a')", "other.py": "app = Flask('b')"}
    assert "hello.py, other.py" in Project(tmp_path).write(files).find_app().stdout
