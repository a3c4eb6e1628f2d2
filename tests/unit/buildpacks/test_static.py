"""The static buildpack's scripts."""

import json
from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import NodeProject, error_of


@pytest.mark.parametrize(
    ("files", "site"),
    [
        ({"index.html": ""}, {"root": "."}),
        (
            {"public/index.html": "", "public/404.html": ""},
            {"root": "public", "error_page": "404.html"},
        ),
        ({"static.json": '{"root": "/www/"}', "www/x": ""}, {"root": "www"}),
        (
            {"static.json": '{"routes": {"/**": "index.html"}}', "index.html": ""},
            {"root": ".", "fallback": "index.html"},
        ),
        (
            {"static.json": "{}", "package.json": "{}", "dist/index.html": "", "index.html": ""},
            {"root": "dist"},
        ),
    ],
)
def test_static_chooses(tmp_path: Path, files: dict[str, str], site: dict[str, str]) -> None:
    """Where the files are, what answers every address, and what answers 404."""
    project = NodeProject(tmp_path)
    project.write(files)
    done = project.compile_static()
    assert done.returncode == 0, done.stdout
    assert "prune" not in project.calls()
    whole = {"root": None, "fallback": None, "error_page": None, **site}
    assert json.loads(project.released("static")) == {"static": whole}
    assert not (project.app / "node_modules").exists()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"static.json": "{"}, "static.json is not valid JSON"),
        ({"static.json": "[]"}, "static.json must be an object"),
        ({"static.json": '{"root": "../x"}'}, '"root" in static.json points outside the app'),
        ({"static.json": '{"root": "x"}'}, "There is no folder 'x'"),
        ({"static.json": '{"root": 1}'}, '"root" in static.json must name a folder'),
        ({"static.json": "{}"}, "There is no index.html in the app"),
        ({"package.json": "{}"}, "There is no index.html in the app"),
        ({"static.json": '{"error_page": "x"}', "index.html": ""}, "There is no ./x"),
        ({"static.json": '{"routes": {"/a": "b"}}', "index.html": ""}, '"routes" in static.json'),
    ],
)
def test_static_refuses(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    """One sentence says what is wrong with static.json."""
    project = NodeProject(tmp_path)
    project.write(files)
    assert error_of(project.compile_static()).startswith(reason)


def test_static_refuses_a_link_out(tmp_path: Path) -> None:
    """A root that is a link to elsewhere leads out."""
    project = NodeProject(tmp_path)
    project.write({"static.json": '{"root": "x"}'})
    (project.app / "x").symlink_to("/etc")
    assert "points outside the app" in error_of(project.compile_static())


@pytest.mark.parametrize("name", ["link.html", "up/index.html", "../index.html"])
def test_static_refuses_links_as_answers(tmp_path: Path, name: str) -> None:
    """Nginx follows none, so each address would be answered with an error of its own."""
    project = NodeProject(tmp_path)
    project.write({"index.html": "", "www/index.html": ""})
    (project.app / "www/link.html").symlink_to("index.html")
    (project.app / "www/up").symlink_to("..")
    project.write({"static.json": json.dumps({"root": "www", "routes": {"/**": name}})})
    assert error_of(project.compile_static()).endswith("is a link.")


def test_static_tells_how_to_route_in_the_browser(tmp_path: Path) -> None:
    """Only where nothing but a package.json says that it is a site."""
    project = NodeProject(tmp_path)
    project.write({"package.json": "{}", "dist/index.html": ""})
    hint = '{"root": "dist", "routes": {"/**": "index.html"}}'
    assert hint in project.compile_static().stdout
    project.write({"static.json": "{}"})
    assert hint not in project.compile_static().stdout


def test_static_tells_what_else_a_package_may_be(tmp_path: Path) -> None:
    """Where the build left nothing to serve, it may be a program."""
    project = NodeProject(tmp_path)
    project.write({"package.json": "{}"})
    done = project.compile_static()
    assert "scripts.start" in done.stdout and "static.json" in done.stdout
