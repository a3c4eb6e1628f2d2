"""The Node buildpack's scripts, with stand-ins for node, npm and yarn; the order of detection."""

from pathlib import Path

import pytest

from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS, NodeProject, error_of

LOCKED = {"package-lock.json": '{"dev": true}'}
LEFT_PAD = {"version": "1.3.0", "integrity": "sha512-x"}


@pytest.fixture
def project(tmp_path: Path) -> NodeProject:
    """An app with a package.json."""
    return NodeProject(tmp_path).package()


def test_order_of_a_build(project: NodeProject) -> None:
    """prebuild, packages, postbuild instead of build, prune, cleanup; as on Heroku."""
    names = ("heroku-prebuild", "build", "heroku-postbuild", "heroku-cleanup", "start")
    project.package(scripts=dict.fromkeys(names, "x")).write(LOCKED)
    said = project.again()
    assert project.calls().splitlines() == [
        "npm run heroku-prebuild",
        "npm ci --include=dev",
        "npm run heroku-postbuild",
        "npm prune --omit=dev --ignore-scripts",
        "npm run heroku-cleanup",
    ]
    assert "script heroku-postbuild with production" in said
    assert project.released() == '{"default_process_types": {"web": "npm start"}}\n'
    assert (project.app / ".profile.d/nodejs.sh").exists()


def test_without_a_lock_file(project: NodeProject) -> None:
    """It installs, with a warning."""
    said = project.again()
    assert "Warning: there is no lock file" in said
    assert "npm install --include=dev --no-save" in project.calls()


def test_keeps_packages_while_nothing_changes(project: NodeProject) -> None:
    """The same lock file: the packages of the last build; a change: a new installation."""
    project.write(LOCKED).again()
    assert "Using the packages of the last build" in project.again()
    assert "npm ci" not in project.calls()
    assert (project.app / "node_modules/made-of").exists()
    project.write({"package-lock.json": '{"x": 1}'})
    assert "Using the packages" not in project.again()
    project.set("NPM_CONFIG_REGISTRY", "https://example.com")
    assert "Using the packages" not in project.again()


@pytest.mark.parametrize(
    "more",
    [
        {"scripts": {"postinstall": "node x.js"}},
        {"workspaces": ["packages/*"]},
        {"dependencies": {"lib": "file:./lib"}},
        {"dependencies": {"lib": "git+https://example.com/lib.git"}},
    ],
)
def test_keeps_nothing_that_changes_by_itself(
    project: NodeProject, more: dict[str, object]
) -> None:
    """Scripts of an installation, local packages and git are never kept."""
    project.package(**more).write(LOCKED).again()
    assert "Using the packages" not in project.again()


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"package.json": "{"}, "package.json is not valid JSON"),
        ({"package.json": "[]"}, "package.json must be an object"),
        ({"package.json": '{"engines": {"node": 20}}'}, '"engines.node" in package.json is not'),
        ({**LOCKED, "yarn.lock": ""}, "There are several lock files: package-lock.json yarn.lock"),
        (
            {**LOCKED, "npm-says": "not are in sync"},
            "package-lock.json no longer matches package.json",
        ),
        (
            {**LOCKED, "npm-says": "npm error notarget No matching version found for ms@99."},
            "There is no version ms@99 in the package registry.",
        ),
        (
            {"npm-says": "npm error 404 Not Found - GET https://registry.npmjs.org/no-such"},
            "There is no package 'no-such' in the package registry.",
        ),
        (
            {
                **LOCKED,
                "npm-says": "npm error 404 Not Found - GET https://registry.npmjs.org/@mozilla%2fl10n"
                " - Not found\nnpm error 404\n"
                "npm error 404  '@mozilla/l10n@0.13.0' is not in this registry.",
            },
            "There is no package @mozilla/l10n 0.13.0 in the package registry.",
        ),
        (
            {
                **LOCKED,
                "npm-says": "npm error 404  The requested resource 'left-pad@https://registry."
                "npmjs.org/left-pad/-/left-pad-1.3.0.tgz' could not be found or you do not have",
            },
            "There is no package left-pad 1.3.0 in the package registry.",
        ),
        ({"bun.lockb": ""}, "The packages are locked in bun.lockb, of bun, which is not supported"),
        (
            {"deno.lock": ""},
            "The packages are locked in deno.lock, of deno, which is not supported",
        ),
        ({**LOCKED, "npm-says": "boom"}, "The packages could not be installed with npm."),
    ],
)
def test_refuses(project: NodeProject, files: dict[str, str], reason: str) -> None:
    """One sentence says what is wrong."""
    assert error_of(project.write(files).compile()).startswith(reason)


def test_a_failing_build_script(project: NodeProject) -> None:
    """The script is named."""
    project.package(scripts={"build": "x"}).write({**LOCKED, "fails-build": ""})
    assert error_of(project.compile()) == "The script build of package.json failed."


def test_fetches_the_node_that_is_asked_for(project: NodeProject) -> None:
    """Where the server's does not fit; once, for later builds too, and it is in the slug."""
    project.package(engines={"node": "22.x"}).write(LOCKED)
    assert "Using Node.js 22.9.0, which fits engines.node (22.x)" in project.again()
    assert (project.app / ".paas/node/bin/node").exists()
    assert "Fetching" not in project.again()
    project.package(engines={"node": "20.x"})
    assert "Using Node.js 20.1.0, which fits" in project.again()


def test_a_newer_yarn_may_make_its_lock_file(project: NodeProject) -> None:
    """Without one it must not be immutable, as it is by default under CI; with one it must."""
    yarn = project.package(packageManager="yarn@4.9.2")
    npm = project.root / "bin/npm"
    npm.write_text(npm.read_text().replace("echo 10.0.0", "echo 4.9.2"))
    yarn.again()
    assert "install --no-immutable" in project.calls()
    yarn.write({"yarn.lock": "__metadata:\n  version: 8\n"}).again()
    assert "install --immutable" in project.calls()


def test_fetches_the_yarn_of_the_lock_file(project: NodeProject) -> None:
    """yarn 1 for an old lock file, a new one for a new; packageManager counts first."""
    project.write({"yarn.lock": "# yarn lockfile v1\n"}).again()
    assert "yarn@1\n" in project.calls()
    assert project.released() == '{"default_process_types": {"web": "yarn start"}}\n'
    project.write({"yarn.lock": "__metadata:\n  version: 8\n"}).again()
    assert "@yarnpkg/cli-dist@4.5\n" in project.calls()
    project.package(packageManager="yarn@3.6.1+sha224.abc").again()
    assert "@yarnpkg/cli-dist@3.6.1\n" in project.calls()
    project.package(packageManager="yarn@latest; id")
    assert error_of(project.compile()).startswith("packageManager in package.json")


def test_pnpm_copies_from_the_cache(project: NodeProject) -> None:
    """Also from version 11 on, which reads variables of its own; and it fetches no other pnpm."""
    project.package(packageManager="pnpm@12.1.0").write({"pnpm-lock.yaml": ""}).again()
    assert project.calls().splitlines()[-3:] == [
        "PNPM_CONFIG_PACKAGE_IMPORT_METHOD=copy",
        "PNPM_CONFIG_PM_ON_FAIL=ignore",
        f"PNPM_CONFIG_STORE_DIR={project.root}/cache/node/pnpm",
    ]
    profile = (project.app / ".profile.d/nodejs.sh").read_text()
    assert "PNPM_CONFIG_PM_ON_FAIL" in profile


def test_keeps_development_packages_where_asked(project: NodeProject) -> None:
    """NPM_CONFIG_PRODUCTION=false, as on Heroku."""
    project.set("NPM_CONFIG_PRODUCTION", "false")
    project.write(LOCKED).again()
    assert "prune" not in project.calls()


def test_says_that_node_is_missing(project: NodeProject) -> None:
    """And how the administrator adds it."""
    for name in ("node", "npm"):
        (project.root / "bin" / name).unlink()
    tools = project.root / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "mkdir", "python3", "env"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    script = BUILDPACKS / "node/bin/compile"
    argv = (
        "/usr/bin/env",
        f"PATH={tools}",
        script,
        project.app,
        project.root,
        project.root / "env",
    )
    done = project.run(*argv)
    assert error_of(done) == "There is no Node.js with npm on this server."


@pytest.mark.parametrize(
    ("main_file", "files", "command"),
    [
        ("app.js", ["app.js"], "node app.js"),
        ("./src/app.js", ["src/app.js"], "node src/app.js"),
        ("app.js", ["app.js", "server.js"], "node server.js"),
        ("gone.js", [], None),
        ("../out.js", ["../out.js"], None),
        ("a b;id.js", ["a b;id.js"], None),
        (7, [], None),
    ],
)
def test_starts_main_without_a_script(
    project: NodeProject, main_file: object, files: list[str], command: str | None
) -> None:
    """The file that package.json names, where it is in the app and its name needs no quotes."""
    project.package(scripts={}, main=main_file).write({**LOCKED, **dict.fromkeys(files, "")})
    project.again()
    expected = f'{{"default_process_types": {{"web": "{command}"}}}}\n'
    assert project.released() == (expected if command else '{"default_process_types": {}}\n')


@pytest.mark.parametrize(
    ("package", "files", "expected"),
    [
        ('{"scripts": {"build": "vite build"}}', ["index.html"], "static"),
        ('{"scripts": {"heroku-postbuild": "x"}, "main": "index.js"}', [], "static"),
        ('{"scripts": {"build": "x"}, "main": "index.js"}', ["index.js"], "node"),
        ('{"scripts": {"build": "x", "start": "y"}}', ["index.html"], "node"),
        ('{"scripts": {"build": "x"}}', ["server.js"], "node"),
        ('{"scripts": {"build": "x"}}', ["Procfile"], "node"),
        ('{"scripts": []}', [], "node"),
        ("{", [], "node"),
    ],
)
def test_a_site_that_is_built(
    tmp_path: Path, package: str, files: list[str], expected: str
) -> None:
    """What can be built, and cannot be started, is a site."""
    project = NodeProject(tmp_path)
    project.write({**dict.fromkeys(files, ""), "package.json": package})
    assert detected(project) == expected


def test_a_program_that_was_pruned_says_so(project: NodeProject) -> None:
    """The last on the PATH of an instance, under its own name; what is left is left alone."""
    npm = project.root / "bin/npm"
    npm.write_text(
        npm.read_text()
        .replace(
            "cp package.json", "touch node_modules/.bin/nx node_modules/.bin/ok; cp package.json"
        )
        .replace("prune) touch pruned", "prune) rm node_modules/.bin/nx")
    )
    project.write(LOCKED).again()
    pruned = project.app / ".paas/pruned"
    assert sorted(path.name for path in pruned.iterdir()) == [".pruned", "nx"]
    path = f"{project.app}/node_modules/.bin:/usr/bin:/bin:{pruned}"
    done = project.run("/usr/bin/env", f"PATH={path}", "sh", "-c", "nx serve")
    assert done.returncode == 127
    assert done.stdout.startswith("paas: nx came with a package of devDependencies")
    assert "/app/.paas/pruned" in (project.app / ".profile.d/nodejs.sh").read_text()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["index.html"], "static"),
        (["public/index.html"], "static"),
        (["static.json", "package.json"], "static"),
        (["index.html", "package.json"], "node"),
        (["index.html", "Procfile"], "procfile"),
        (["static.json", "Procfile", "package.json"], "node"),
        (["index.html", "requirements.txt"], "python"),
        (["readme"], ""),
    ],
)
def test_order_of_detection(tmp_path: Path, files: list[str], expected: str) -> None:
    """The first in order.txt that fits."""
    project = NodeProject(tmp_path)
    project.write(dict.fromkeys(files, "{}"))
    assert detected(project) == expected


def detected(project: NodeProject) -> str:
    """The first buildpack that accepts the app."""
    lines = (BUILDPACKS / "order.txt").read_text().splitlines()
    for name in (line for line in lines if not line.startswith("#")):
        if project.run(BUILDPACKS / name / "bin/detect", project.app).returncode == 0:
            return name
    return ""
