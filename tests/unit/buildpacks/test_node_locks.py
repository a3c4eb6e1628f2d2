"""npm's lock file: found stale before anything is fetched; and installing the difference."""

import json
from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import NodeProject, error_of

STEP = "Installing what differs from the last build, with npm"
Package = dict[str, object]
Packages = dict[str, Package]
PAD: Package = {"version": "1.3.0", "integrity": "sha512-pad"}
ODD: Package = {"version": "3.0.1", "integrity": "sha512-odd"}


@pytest.fixture
def project(tmp_path: Path) -> NodeProject:
    """An app in a world where npm installs what the lock file lists."""
    project = NodeProject(tmp_path)
    npm = project.root / "bin/npm"
    installs = 'cp "${LOCK:-package-lock.json}" node_modules/.package-lock.json; cp package.json'
    npm.write_text(npm.read_text().replace("cp package.json", installs))
    return project


def lists(project: NodeProject, packages: Packages, *names: str) -> NodeProject:
    """Write package.json, with these dependencies, and its lock file."""
    project.package(dependencies=dict.fromkeys(names, "*"))
    placed = {f"node_modules/{name}": entry for name, entry in packages.items()}
    lock = {"lockfileVersion": 3, "packages": {"": {}, **placed}}
    project.write({"package-lock.json": json.dumps(lock)})
    return project


def test_one_more_package_installs_the_difference(project: NodeProject) -> None:
    """On top of what is there; what package.json lists is not saved over."""
    lists(project, {"left-pad": PAD}, "left-pad").again()
    assert project.calls() == "npm ci --include=dev\n"
    said = lists(project, {"left-pad": PAD, "odd": ODD}, "left-pad", "odd").again()
    assert f"{STEP} 10.0.0 (package-lock.json)" in said
    assert project.calls() == "npm install --include=dev --no-save --prefer-offline\n"
    assert "unchanged" in project.again()


@pytest.mark.parametrize(
    "there",
    [
        {"left-pad": PAD},
        {"left-pad": PAD, "odd": {**ODD, "version": "3.0.2"}},
        {"left-pad": PAD, "odd": {**ODD, "integrity": "sha512-else"}},
        {"left-pad": PAD, "odd": ODD, "third": ODD},
        {},
    ],
)
def test_another_result_than_the_lock_file_lists(project: NodeProject, there: Packages) -> None:
    """All is installed then: the lock file decides, not what npm made of an earlier build."""
    lists(project, {"left-pad": PAD}, "left-pad").again()
    lists(project, {"left-pad": PAD, "odd": ODD}, "left-pad", "odd")
    placed = {f"node_modules/{name}": entry for name, entry in there.items()}
    project.write({"other.json": json.dumps({"packages": placed})})
    project.env["LOCK"] = "other.json"
    said = project.again()
    assert "The result differs from package-lock.json, so all packages are installed" in said
    assert project.calls().endswith("npm ci --include=dev\n")


def test_packages_for_other_machines_are_not_there(project: NodeProject) -> None:
    """npm leaves out what is optional and does not fit."""
    lists(project, {"left-pad": PAD}, "left-pad").again()
    added: Packages = {"left-pad": PAD, "odd": {**ODD, "optional": True}}
    lists(project, added, "left-pad")
    project.write({"other.json": json.dumps({"packages": {"node_modules/left-pad": PAD}})})
    project.env["LOCK"] = "other.json"
    assert "differs from package" not in project.again()


@pytest.mark.parametrize("name", [".npmrc", "NPM_CONFIG_REGISTRY", "node"])
def test_all_is_installed_where_the_same_version_may_be_another(
    project: NodeProject, name: str
) -> None:
    """From another registry, or for another Node.js."""
    lists(project, {"left-pad": PAD}, "left-pad").again()
    lists(project, {"left-pad": PAD, "odd": ODD}, "left-pad", "odd")
    if name == "node":
        node = project.root / "bin/node"
        node.write_text(node.read_text().replace("v20.1.0", "v20.2.0"))
    elif name == ".npmrc":
        project.write({".npmrc": "registry=https://example.com\n"})
    else:
        project.set(name, "https://example.com")
    assert STEP not in project.again()
    assert project.calls() == "npm ci --include=dev\n"


def test_npm_fails_at_the_difference(project: NodeProject) -> None:
    """Then all is installed, and its own failure is the one that is explained."""
    lists(project, {"left-pad": PAD}, "left-pad").again()
    lists(project, {"left-pad": PAD, "odd": ODD}, "left-pad", "odd")
    project.write({"npm-says": "npm error code EUSAGE\nnot are in sync"})
    done = project.compile()
    assert error_of(done) == "package-lock.json no longer matches package.json."


@pytest.mark.parametrize(
    ("packages", "reason"),
    [
        ({"left-pad": PAD}, "package-lock.json no longer matches package.json: it lacks odd, x."),
        ({}, "package-lock.json no longer matches package.json: it lacks left-pad, odd, x."),
        ({"left-pad": PAD, "odd": ODD, "x": ODD}, None),
    ],
)
def test_a_package_that_the_lock_file_lacks(
    project: NodeProject, packages: Packages, reason: str | None
) -> None:
    """It is named before anything is fetched, also a Node.js that the app asks for."""
    lists(project, packages, "left-pad", "odd")
    asked = {"left-pad": "1", "odd": "^3"}
    project.package(dependencies=asked, devDependencies={"x": "1"}, engines={"node": "22.x"})
    done = project.compile()
    if reason is None:
        assert done.returncode == 0, done.stdout
    else:
        assert error_of(done) == reason
        assert "Update it with 'npm install'" in done.stdout
        assert project.calls() == ""


@pytest.mark.parametrize(
    ("lock", "scripts"),
    [
        ('{"lockfileVersion": 1, "dependencies": {}}', []),
        ("[]", []),
        ('{"packages": {"": {}}}', ["heroku-prebuild"]),
    ],
)
def test_what_only_npm_can_judge(project: NodeProject, lock: str, scripts: list[str]) -> None:
    """An old lock file; one of a package.json that the app's own script may change first."""
    project.package(dependencies={"odd": "3"}, scripts=dict.fromkeys(scripts, "x"))
    project.write({"package-lock.json": lock})
    assert "npm ci" in (project.again() and project.calls())


def test_a_lock_file_that_is_no_json(project: NodeProject) -> None:
    """As a merge may leave it."""
    project.package().write({"package-lock.json": "<<<<<<< HEAD\n"})
    done = project.compile()
    assert error_of(done) == ("package-lock.json is not valid JSON: Expecting value in line 1.")


def test_npms_manual_page_is_left_out(project: NodeProject) -> None:
    """It hides what is missing."""
    said = (
        "npm error code EUSAGE\nnpm error are in sync\nnpm error Missing: odd@3 from lock file\n"
        'npm error Clean install a project\nnpm error Usage:\nnpm error Run "npm help ci" for '
        "more info\nnpm error A complete log of this run can be found in: /x\n"
    )
    project.package().write({"package-lock.json": "{}", "npm-says": said})
    done = project.compile()
    assert "Missing: odd@3 from lock file" in done.stdout
    assert "Usage" not in done.stdout
    assert "complete log" not in done.stdout


def test_nothing_to_prune(project: NodeProject) -> None:
    """npm takes seconds to find that out; the lock file tells."""
    lists(project, {"left-pad": PAD}, "left-pad")
    assert "Removing the devDependencies" not in project.again()
    lists(project, {"left-pad": {**PAD, "dev": True}}, "left-pad")
    assert "Removing the devDependencies" in project.again()
