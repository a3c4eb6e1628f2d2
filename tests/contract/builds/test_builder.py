"""Builders: the same checks for the fake and the real one, and the sandbox of the real one."""

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from paas.domain.builds.buildpacks import buildpack
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import Built
from tests.contract.builds.building import CODE, Bench, MakeBench, an_app, fake, impatient, real
from tests.processes import command_lines
from tests.waiting import wait_for

EMPTY = {"requirements.txt": "", "Procfile": "web: true\n"}


@pytest.fixture(params=[fake, real])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Each kind of builder."""
    make: MakeBench = request.param
    bench = make(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Bench]:
    """The real builder."""
    bench = real(tmp_path)
    yield bench
    bench.close()


def hook(script: str) -> dict[str, str]:
    """An app whose build runs that script."""
    return {**EMPTY, "bin/post_compile": script}


def test_builds(bench: Bench) -> None:
    """A build tells its buildpack, streams lines, and proposes nothing beside a Procfile."""
    bench.expect(Built("Python", {}))
    built = bench.build(EMPTY)
    assert (built.buildpack, dict(built.processes)) == ("Python", {})
    assert any(line.startswith("-----> ") and line.endswith("detected") for line in bench.lines)
    assert not bench.builder.left(1)
    assert not bench.builder.clear(1)


def test_proposes_a_web_process(bench: Bench) -> None:
    """Without a Procfile the web app's command comes back."""
    bench.expect(Built("Python", {ProcessType("web"): "gunicorn --threads 8 app:app"}))
    built = bench.build({"requirements.txt": "", "app.py": "app = 1"})
    assert dict(built.processes) == {"web": "gunicorn --threads 8 app:app"}


def test_refuses_what_no_buildpack_knows(sandbox: Bench) -> None:
    """An app of an unknown language."""
    with pytest.raises(PaasError) as caught:
        sandbox.build({"index.cob": ""})
    assert caught.value.reference == "no-buildpack"


@pytest.mark.parametrize(
    ("name", "language", "way"),
    [
        ("Gemfile", "Ruby", "paas buildpacks:set heroku/ruby"),
        ("go.mod", "Go", "paas buildpacks:set heroku/go"),
        ("composer.json", "PHP", "paas buildpacks:set heroku/php"),
        ("Shop.csproj", ".NET", "paas buildpacks:set heroku/dotnet"),
        ("Dockerfile", "a container image", "say in a Procfile what the CMD of the image says"),
    ],
)
def test_names_the_language_that_it_does_not_build(
    sandbox: Bench, name: str, language: str, way: str
) -> None:
    """The file that tells it, and the way to go; with a Procfile a warning of the same."""
    with pytest.raises(PaasError) as caught:
        sandbox.build({name: "", "README": ""})
    assert caught.value.reference == "no-buildpack"
    assert f"it contains {name} ({language})" in caught.value.message
    assert way in (caught.value.hint or "")
    sandbox.build({name: "", "Procfile": "web: x"})
    assert (
        f" !     Warning: the app contains {name}, but nothing is built from it" in sandbox.output()
    )


@pytest.mark.parametrize("name", [".profile.d", ".paas"])
@pytest.mark.parametrize("link", [False, True])
def test_names_what_is_in_the_way_of_its_folders(sandbox: Bench, name: str, link: bool) -> None:
    """A file or a link where the build makes a folder is one sentence, not mkdir's."""
    with pytest.raises(PaasError) as caught:
        sandbox.build(EMPTY, first=f"{'ln -s ../x' if link else 'touch'} {name}")
    what = "a symbolic link" if link else "a file"
    assert caught.value.message.startswith(f"{name} in the repository is {what}")
    assert f"git rm {name}" in (caught.value.hint or "")


@pytest.mark.parametrize("make", ["ln -s /etc .venv", "touch .venv"])
def test_replaces_what_is_in_the_way_of_an_environment(sandbox: Bench, make: str) -> None:
    """With a warning; what a link points to is untouched."""
    sandbox.build(EMPTY, first=make)
    assert ".venv is part of the repository and is replaced" in sandbox.output()
    assert (sandbox.tree() / ".venv/bin/python").exists()
    assert Path("/etc/passwd").exists()


def test_takes_what_powershell_writes(sandbox: Bench) -> None:
    """UTF-16 and byte order marks, in each file that people write by hand."""
    write = "printf 'itsdangerous==2.2.0\\r\\n' | iconv -t UTF-16 > requirements.txt; "
    write += "printf '\\357\\273\\277web: true\\r\\n' > Procfile"
    built = sandbox.build(EMPTY, first=write)
    assert "itsdangerous" in sandbox.output()
    assert built.procfile == b"web: true\r\n"
    package = """printf '{"name": "x"}' | iconv -t UTF-16LE > package.json"""
    sandbox.build({"Procfile": "web: true"}, first=package, buildpacks=[buildpack("node")])
    assert "Node.js app detected" in sandbox.output()


@pytest.mark.parametrize("name", ["requirements.txt", ".python-version", "package.json", "Pipfile"])
def test_names_another_encoding(sandbox: Bench, name: str) -> None:
    """With the line, what it looks like, and how to convert it; before anything is installed."""
    with pytest.raises(PaasError) as caught:
        sandbox.build(EMPTY, first=f"printf 'x\\n# caf\\351\\n' > {name}")
    assert caught.value.message == (
        f"{name} is not UTF-8 text: line 2 has the byte 0xE9, as in Latin-1 (Windows-1252)."
    )
    assert f"iconv -f WINDOWS-1252 -t UTF-8 {name}" in (caught.value.hint or "")
    assert "Installing" not in sandbox.output()


def test_tells_what_was_chosen_of_two_languages(sandbox: Bench) -> None:
    """A package.json beside Python's files: Python, and how to have the other, or both."""
    sandbox.build({**EMPTY, "package.json": "{}"})
    assert "There is also a package.json, but only the Python app is built" in sandbox.output()
    assert "paas buildpacks:set node && paas buildpacks:add python" in sandbox.output()
    sandbox.build({**EMPTY, "package.json": "{}"}, buildpacks=[buildpack("python")])
    assert "There is a package.json" not in sandbox.output()


def test_fails_with_the_reason(bench: Bench) -> None:
    """The buildpack's error becomes the failure, with its advice, and is not reported twice."""
    words = "bin/post_compile failed with exit status 3."
    bench.expect(failure=PaasError("build-failed", words, "Correct it, commit, and push again."))
    with pytest.raises(PaasError) as caught:
        bench.build(hook("exit 3"))
    assert caught.value.reference == "build-failed"
    assert caught.value.message == words
    assert "Correct it, commit, and push again." in (caught.value.hint or "")
    assert "bin/post_compile failed" not in "\n".join(bench.lines)


def test_names_a_requirement_that_does_not_exist(sandbox: Bench) -> None:
    """The package's name is in the message, uv's own lines are in the output."""
    with pytest.raises(PaasError) as caught:
        sandbox.build({**EMPTY, "requirements.txt": "no-such-package-of-ours==1.0\n"})
    assert "There is no package 'no-such-package-of-ours'" in caught.value.message
    assert "No solution found" in sandbox.output()


def test_installs_once(sandbox: Bench) -> None:
    """Dependencies are installed with bytecode; the same ones again come from the cache."""
    files = {**EMPTY, "requirements.txt": "itsdangerous==2.2.0\n"}
    sandbox.build(files)
    first = venv_files(sandbox.tree())
    assert any(name.endswith(".pyc") for name in first)
    sandbox.build(files)
    assert "Using the dependencies of the last build" in sandbox.output()
    assert venv_files(sandbox.tree()) == first
    sandbox.build(files, app_id=2)
    assert "Installing dependencies" in sandbox.output()


def test_a_failed_build_keeps_what_it_installed_and_a_new_line_installs_the_difference(
    sandbox: Bench,
) -> None:
    """By uv: versions as in a new environment, and what is no longer listed is removed."""
    listed = {**EMPTY, "requirements.txt": "itsdangerous==2.2.0\nsix==1.16.0\n"}
    with pytest.raises(PaasError):
        sandbox.build({**listed, "bin/post_compile": "exit 3"})
    assert "Installed 2 packages" in sandbox.output()
    sandbox.build(listed)
    assert "Using the dependencies of the last build" in sandbox.output()
    sandbox.build(
        {
            **listed,
            "requirements.txt": "itsdangerous==2.2.0\nsix>=1.16\ntyping-extensions==4.12.2\n",
        }
    )
    said = sandbox.output()
    assert "Installing what differs from the last build" in said
    assert "itsdangerous" not in said
    assert "- six==1.16.0" in said
    assert "+ typing-extensions==4.12.2" in said
    sandbox.build({**listed, "requirements.txt": "typing-extensions==4.12.2\n"})
    assert "- itsdangerous==2.2.0" in sandbox.output()
    site = next(sandbox.tree().glob(".venv/lib/python*/site-packages"))
    modules = {path.stem for path in site.glob("*.py")}
    assert modules & {"six", "typing_extensions"} == {"typing_extensions"}
    assert not (site / "itsdangerous").exists()
    assert list(site.glob("__pycache__/typing_extensions.*.pyc"))


@pytest.mark.parametrize(
    ("name", "processes"),
    [
        ("flask-hello", {}),
        ("django-hello", {}),
        (
            "fastapi-hello",
            {"web": "uvicorn main:app --host 127.0.0.1 --port $PORT --no-access-log"},
        ),
    ],
)
def test_builds_the_examples(sandbox: Bench, name: str, processes: dict[str, str]) -> None:
    """Each example builds; Django's static files are collected."""
    root = CODE / "examples" / name
    files = {str(p.relative_to(root)): p.read_text() for p in root.rglob("*") if p.is_file()}
    assert dict(sandbox.build(files).processes) == processes
    assert (sandbox.tree() / ".profile.d/python.sh").is_file()
    assert ("1 static file copied" in sandbox.output()) == (name == "django-hello")


def venv_files(tree: Path) -> dict[str, int]:
    """Each file of the virtual environment with its time, on which its bytecode depends."""
    venv = tree / ".venv"
    return {
        str(path.relative_to(venv)): int(path.lstat().st_mtime)
        for path in venv.rglob("*")
        if not path.is_dir()
    }


def test_runs_as_the_app_without_the_servers_secrets(sandbox: Bench) -> None:
    """The build has the app's uid, its config vars, and nothing of the server's."""
    os.environ["SECRET_OF_THE_SERVER"] = "s3cret"
    try:
        sandbox.build(
            hook('id -u; printf "%s|" "$GREETING"; env; ls -A "$ETC" "$STATE"; echo done'),
            GREETING="a\nb ",
            ETC=str(sandbox.root / "etc"),
            STATE=str(sandbox.root / "var"),
        )
    finally:
        del os.environ["SECRET_OF_THE_SERVER"]
    assert str(an_app(1).uid) in sandbox.lines
    assert "a\nb |" in sandbox.output()
    assert "s3cret" not in sandbox.output()
    assert "builds" not in sandbox.lines
    assert list((sandbox.root / "run/builds").iterdir()) == []


def test_cannot_write_outside_its_tree(sandbox: Bench) -> None:
    """Buildpacks, config vars and the system are read-only."""
    with pytest.raises(PaasError):
        sandbox.build(hook("echo x > /tmp/paas/buildpacks/order.txt"))
    with pytest.raises(PaasError):
        sandbox.build(hook("echo x > /tmp/paas/env/X"))


@pytest.mark.parametrize("trick", ["ln -s /etc/shadow", "ln -s /etc/passwd", "mkdir -p"])
def test_believes_no_replaced_result(sandbox: Bench, trick: str) -> None:
    """A result that became a link or a directory leads nowhere, and harms no later build."""
    late = "(while [[ ! -s $r ]] || ! grep -q default $r; do :; done; rm -f $r; {} $r) & exit 0"
    script = "r=/tmp/paas/cache/result; " + late.format(trick)
    try:
        assert sandbox.build(hook(script)).processes == {}
    except PaasError as error:
        assert "root" not in error.message
    assert sandbox.build(EMPTY).buildpack == "Python"


def test_its_files_are_closed_when_it_has_ended(sandbox: Bench) -> None:
    """One that somebody elsewhere can still write into does not go live."""
    script = (
        "/usr/bin/python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX);"
        's.bind("/app/s"); s.listen(); c, _ = s.accept(); '
        'socket.send_fds(c, [b"x"], [os.open("/app/kept", os.O_RDWR | os.O_CREAT)])\''
    )
    held: list[int] = []

    def take() -> None:
        """Receive the descriptor from outside: the path is too long for a socket's address."""
        home = sandbox.root / "var/builds/1-1"
        wait_for(lambda: (home / "s").exists(), what="the build's socket")
        here = os.open(home, os.O_PATH)
        with socket.socket(socket.AF_UNIX) as client:
            address = f"/proc/self/fd/{here}/s"
            wait_for(lambda: client.connect_ex(address) == 0, what="the build to listen")
            held.extend(socket.recv_fds(client, 1, 1)[1])
        os.close(here)

    with ThreadPoolExecutor() as pool:
        taken = pool.submit(take)
        with pytest.raises(PaasError) as caught:
            sandbox.build(hook(script))
        taken.result()
    assert caught.value.reference == "build-held"
    assert len(held) == 1
    os.close(held[0])


def test_leaves_no_process_behind(sandbox: Bench) -> None:
    """What a build starts in the background ends with it."""
    sandbox.build(hook("setsid sleep 300 >/dev/null 2>&1 & setsid sleep 301 &"))
    assert command_lines(an_app(1).uid) == {}


def test_stops_at_the_time_limit(tmp_path: Path) -> None:
    """A build that never ends is stopped with all its processes, and the limit is named."""
    bench = impatient(tmp_path)
    with pytest.raises(PaasError) as caught:
        bench.build(hook("setsid sleep 300 & trap '' TERM; sleep 301"))
    assert caught.value.reference == "build-timeout"
    assert "1 s" in caught.value.message
    bench.close()
    assert command_lines(an_app(1).uid) == {}
    assert list((tmp_path / "run/builds").iterdir()) == []


def test_ends_when_the_check_raises(bench: Bench) -> None:
    """What the check raises ends a build with all its processes, and comes through."""

    def check() -> None:
        if bench.root.joinpath("run/builds").exists() or not bench.cgroups:
            raise PaasError("build-cancelled", "Enough.")

    with pytest.raises(PaasError, match="Enough"):
        bench.build(hook("setsid sleep 300 & trap '' TERM; sleep 301"), check=check)
    assert command_lines(an_app(1).uid) == {}
    assert not bench.cgroups or not bench.cgroups.names()


def test_limits_the_output(sandbox: Bench) -> None:
    """Beyond the limit lines are counted instead of kept; the error still comes through."""
    with pytest.raises(PaasError) as caught:
        sandbox.build(hook("yes 'a line of output that means nothing' | head -n 400000; exit 4"))
    assert "exit status 4" in caught.value.message
    assert len(sandbox.output()) < 9_000_000
    assert any("lines of the build's output were left out" in line for line in sandbox.lines)
