"""Config vars in a build: each reaches the app's own steps, and none the scripts of a buildpack."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS, NodeProject, Project

# What Heroku's own scripts, the shell, git and Python have had collisions with.
KNOWN = (
    *("CACHE_DIR", "BUILD_DIR", "ENV_DIR", "SYSTEM_PYTHON", "VERSION_PATTERN", "REUSE_FORMAT"),
    *("PYTHONPATH", "LC_ALL", "REPLY", "MAPFILE"),
)
KEPT_OUT = (
    *("PYTHONHOME", "LD_LIBRARY_PATH", "TMPDIR", "POSIXLY_CORRECT", "GIT_DIR", "GIT_WORK_TREE"),
    *("UV_TOOL_DIR", "UV_SYSTEM_PYTHON", "BASH_ENV", "IFS", "HOME", "PATH"),
)
SHOW = "#!/usr/bin/python3 -S\nimport os, sys\nfor n in {names!r}: print(n, os.environ.get(n))\n"


def own_names() -> set[str]:
    """Every variable that the buildpacks' scripts set for themselves."""
    text = "".join(
        path.read_text()
        for path in [*BUILDPACKS.rglob("*.sh"), *BUILDPACKS.glob("*/bin/*")]
        if path.is_file()
    )
    found = set(re.findall(r"\b([a-z_][a-z0-9_]*)(?:\+?=|=\()", text))
    found |= set(re.findall(r"^ *readonly ([A-Za-z_][A-Za-z0-9_]*)=", text, re.MULTILINE))
    for line in re.findall(r"^ *local (.*)", text, re.MULTILINE):
        found |= set(re.findall(r"\b([a-z_][a-z0-9_]*)(?==| |$)", line))
    assert {"build", "cache", "env", "pack", "python", "key", "SYSTEM_PYTHON"} <= found
    return found


@pytest.fixture
def names() -> list[str]:
    """Names of config vars that must do no harm."""
    return sorted(own_names() | set(KNOWN))


def seen(app: Path) -> dict[str, str]:
    """What the app's last step found in its environment."""
    lines = (app / "seen").read_text().splitlines()
    return {name: value for name, _, value in (line.partition(" ") for line in lines)}


def show_in_build(project: NodeProject, names: Sequence[str]) -> None:
    """Have the app's build script write these variables of its environment, for `seen`."""
    (project.app / "show.py").write_text(SHOW.format(names=tuple(names)))
    npm = project.root / "bin/npm"
    npm.write_text(npm.read_text().replace("run) ", "run) /usr/bin/python3 -S show.py > seen; "))


def uv_settings(project: Project) -> list[str]:
    """What uv finds of its settings in the environment of a build, as NAME=VALUE."""
    uv = project.root / "bin/uv"
    uv.write_text(uv.read_text().replace("case", "env | grep ^UV_ > uv-env\ncase", 1))
    project.again()
    return (project.app / "uv-env").read_text().splitlines()


def test_no_name_collides_with_the_python_scripts(tmp_path: Path, names: list[str]) -> None:
    """A Django app with hooks builds twice, and each var has its value in the last hook."""
    project = Project(tmp_path)
    for name in (*names, *KEPT_OUT):
        project.set(name, "/x")
    hook = SHOW.format(names=(*names, *KEPT_OUT))
    project.write(
        {
            "requirements.txt": "django==5.2\n",
            "manage.py": "print('collected')",
            "bin/pre_compile": "true",
            "bin/post_compile": "#!/bin/sh\n/usr/bin/python3 -S show.py > seen\n",
            "show.py": hook,
            "Procfile": "web: gunicorn x.wsgi",
        }
    )
    for _ in range(2):
        project.again()
        found = seen(project.app)
        assert {name: found[name] for name in names} == dict.fromkeys(names, "/x")
        assert "/x" not in {found[name] for name in KEPT_OUT}


def test_no_name_collides_with_the_node_scripts(tmp_path: Path, names: list[str]) -> None:
    """The build script of an app sees each, and the build is like one without them."""
    project = NodeProject(tmp_path).package(scripts={"build": "x"})
    for name in (*names, *KEPT_OUT):
        project.set(name, "/x")
    show_in_build(project, (*names, *KEPT_OUT))
    project.write({"package-lock.json": "{}"})
    for _ in range(2):
        project.again()
        found = seen(project.app)
        assert {name: found[name] for name in names} == dict.fromkeys(names, "/x")
        assert "/x" not in {found[name] for name in KEPT_OUT}
    assert "Using the packages of the last build" in project.again()


def test_settings_of_the_build_win_and_defaults_do_not(tmp_path: Path) -> None:
    """npm's cache is this app's, however the config var is spelled; NODE_ENV is the app's."""
    project = NodeProject(tmp_path).package(scripts={"build": "x"})
    project.set("npm_config_cache", "/x")
    project.set("NODE_ENV", "staging")
    names = ("npm_config_cache", "NPM_CONFIG_CACHE", "NODE_ENV", "YARN_NODE_LINKER")
    show_in_build(project, names)
    project.write({"package-lock.json": "{}"}).again()
    assert seen(project.app) == {
        "npm_config_cache": "None",
        "NPM_CONFIG_CACHE": str(tmp_path / "cache/node/npm"),
        "NODE_ENV": "staging",
        "YARN_NODE_LINKER": "node-modules",
    }


def test_pips_settings_reach_uv(tmp_path: Path) -> None:
    """PIP_* are uv's settings too, unless uv's own are set."""
    project = Project(tmp_path).write({"requirements.txt": "x\n", "Procfile": "web: x"})
    project.set("PIP_INDEX_URL", "https://one.example/simple")
    project.set("PIP_FIND_LINKS", "https://a.example https://b.example")
    project.set("PIP_EXTRA_INDEX_URL", "https://two.example")
    project.set("UV_INDEX", "https://mine.example")
    found = uv_settings(project)
    assert "UV_DEFAULT_INDEX=https://one.example/simple" in found
    assert "UV_FIND_LINKS=https://a.example,https://b.example" in found
    assert not [line for line in found if line.startswith("UV_EXTRA_INDEX_URL")]


def test_the_apps_index_wins_over_the_servers(tmp_path: Path) -> None:
    """Of a server that has uv's settings; else a private package would come from elsewhere."""
    project = Project(tmp_path).write({"requirements.txt": "x\n", "Procfile": "web: x"})
    project.env["UV_INDEX"] = "https://server.example"
    project.env["UV_INDEX_URL"] = "https://server.example/simple"
    project.env["UV_FIND_LINKS"] = "https://links.example"
    project.set("PIP_INDEX_URL", "https://one.example/simple")
    project.set("PIP_EXTRA_INDEX_URL", "https://two.example")
    found = uv_settings(project)
    assert "UV_DEFAULT_INDEX=https://one.example/simple" in found
    assert "UV_EXTRA_INDEX_URL=https://two.example" in found
    assert "UV_FIND_LINKS=https://links.example" in found
    assert not [line for line in found if line.startswith(("UV_INDEX=", "UV_INDEX_URL="))]


def test_the_apps_spelling_leaves_none_of_the_servers(tmp_path: Path) -> None:
    """npm takes its settings, and curl a proxy, in capitals or not: the app's counts."""
    project = NodeProject(tmp_path).package(scripts={"build": "x"})
    project.env["NPM_CONFIG_REGISTRY"] = "https://server.example"
    project.env["https_proxy"] = "http://server.example:3128"
    project.set("npm_config_registry", "https://mine.example")
    project.set("HTTPS_PROXY", "http://mine.example:3128")
    names = ("npm_config_registry", "NPM_CONFIG_REGISTRY", "https_proxy", "HTTPS_PROXY")
    show_in_build(project, names)
    project.write({"package-lock.json": "{}"}).again()
    assert seen(project.app) == {
        "npm_config_registry": "https://mine.example",
        "NPM_CONFIG_REGISTRY": "None",
        "https_proxy": "None",
        "HTTPS_PROXY": "http://mine.example:3128",
    }
