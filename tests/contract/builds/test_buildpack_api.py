"""Heroku's buildpack API, clause by clause, with buildpacks of others in the real sandbox.

https://devcenter.heroku.com/articles/buildpack-api
"""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.builds.builder import BuildpackBuilder, stack
from paas.domain.builds.buildpacks import Buildpack, buildpack
from paas.domain.values.errors import PaasError
from paas.settings import Settings
from tests.contract.builds.building import CODE, Bench, real
from tests.contract.builds.git_https import serving

APP = {"Procfile": "web: true\n", "greeting": "hello"}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Bench]:
    """The real builder."""
    bench = real(tmp_path)
    yield bench
    bench.close()


class Shelf:
    """Buildpacks of others, as directories of the server."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, name: str, files: Mapping[str, str], *, executable: bool = True) -> Buildpack:
        """A buildpack of these files; without bin/detect, one that accepts every app."""
        scripts = {"bin/detect": f"echo {name}", "bin/compile": "true", **files}
        for path, content in scripts.items():
            target = self.root / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            script = path.startswith("bin/") and not content.startswith("#!")
            target.write_text(f"#!/bin/bash\n{content}\n" if script else content)
            target.chmod(0o755 if executable and path.startswith("bin/") else 0o644)
        return buildpack(str(self.root / name))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A place for them."""
    return Shelf(tmp_path / "shelf")


def test_scripts_get_their_arguments(sandbox: Bench, shelf: Shelf) -> None:
    """bin/detect BUILD, bin/compile BUILD CACHE ENV, bin/release BUILD; BUILD is the app."""
    pack = shelf.make(
        "mine",
        {
            "bin/detect": '[[ $# == 1 && -f $1/greeting ]] && echo "Mine $(cat "$1/greeting")"',
            "bin/compile": 'echo "compile $# $1"; ls -d "$1" "$2" "$3"; echo x > $1/made',
            "bin/release": '[[ $# == 1 && -f $1/made ]] && echo "default_process_types: {web: r}"',
        },
    )
    built = sandbox.build(APP, buildpacks=[pack])
    assert built.buildpack == "Mine hello"
    assert dict(built.processes) == {"web": "r"}
    assert "-----> Mine hello app detected" in sandbox.lines
    assert "compile 3 /app" in sandbox.lines
    assert (sandbox.tree() / "made").read_text() == "x\n"


def test_scripts_start_in_the_buildpacks_own_directory(sandbox: Bench, shelf: Shelf) -> None:
    """Some name their own files from there, heroku-buildpack-nginx for one."""
    pack = shelf.make(
        "mine",
        {
            "bin/detect": "cat conf/name",
            "bin/compile": 'cp conf/name "$1/copied"',
            "bin/release": 'echo "default_process_types: {web: $(cat conf/name)}"',
            "conf/name": "from mine\n",
        },
    )
    built = sandbox.build(APP, buildpacks=[pack])
    assert (built.buildpack, dict(built.processes)) == ("from mine", {"web": "from mine"})
    assert (sandbox.tree() / "copied").read_text() == "from mine\n"


def test_the_tree_may_be_replaced(sandbox: Bench, shelf: Shelf) -> None:
    """A buildpack that makes one folder the whole app: the next one sees that alone."""
    move = 'mv "$1/part" "$2/part"; rm -rf "$1" 2>/dev/null; mkdir -p "$1"; mv "$2"/part/* "$1"'
    first = shelf.make("first", {"bin/compile": move})
    second = shelf.make("second", {"bin/compile": 'echo "sees: $(ls "$1" | xargs)"'})
    sandbox.build({**APP, "part/Procfile": "web: part\n"}, buildpacks=[first, second])
    assert "sees: Procfile" in sandbox.lines
    assert (sandbox.tree() / "Procfile").read_text() == "web: part\n"


def test_what_is_kept_in_profile_d_is_the_apps(sandbox: Bench, shelf: Shelf) -> None:
    """.profile.d of several buildpacks lies side by side; $HOME in it is the app's directory."""
    packs = [
        shelf.make(
            name,
            {
                "bin/compile": f'mkdir -p "$1/.profile.d"; '
                f'echo "export PATH=\\$HOME/{name}:\\$PATH" > "$1/.profile.d/{name}.sh"'
            },
        )
        for name in ("one", "two")
    ]
    sandbox.build(APP, buildpacks=packs)
    found = sorted(path.name for path in (sandbox.tree() / ".profile.d").iterdir())
    assert found == ["one.sh", "two.sh"]
    assert (sandbox.tree() / ".profile.d/one.sh").read_text() == "export PATH=$HOME/one:$PATH\n"


def test_config_vars_are_files_and_nothing_else(sandbox: Bench, shelf: Shelf) -> None:
    """ENV has one file a config var, byte for byte; none is in the environment."""
    pack = shelf.make("mine", {"bin/compile": 'cat "$3/GREETING"; echo "|${GREETING-unset}"'})
    sandbox.build(APP, buildpacks=[pack], GREETING="a b\n'$X' ")
    assert "a b\n'$X' |unset" in sandbox.output()


def test_the_cache_is_kept_for_each_app(sandbox: Bench, shelf: Shelf) -> None:
    """CACHE is there at the first build, shared by the buildpacks, kept, and the app's alone."""
    pack = shelf.make("mine", {"bin/compile": 'cat "$2/n" || echo none; echo kept > "$2/n"'})
    other = shelf.make("other", {"bin/compile": 'echo "other sees $(cat "$2/n")"'})
    sandbox.build(APP, buildpacks=[pack, other])
    assert "none" in sandbox.lines
    assert "other sees kept" in sandbox.lines
    sandbox.build(APP, buildpacks=[pack])
    assert "kept" in sandbox.lines
    sandbox.build(APP, buildpacks=[pack], app_id=2)
    assert "none" in sandbox.lines


def test_the_environment_of_a_build(sandbox: Bench, shelf: Shelf) -> None:
    """STACK, SOURCE_VERSION and HOME are set; stdin is empty; the log of steps can be written."""
    script = (
        'echo "$STACK $SOURCE_VERSION"; cd "$HOME" && touch x; cat; echo >> $BUILDPACK_LOG_FILE'
    )
    pack = shelf.make("mine", {"bin/compile": script})
    sandbox.build(APP, buildpacks=[pack], commit="c" * 40)
    assert any(line.startswith("heroku-2") and line.endswith("c" * 40) for line in sandbox.lines)


@pytest.mark.parametrize(
    ("libc", "name"),
    [
        ("glibc 2.31", "heroku-20"),
        ("glibc 2.36", "heroku-22"),
        ("glibc 2.41", "heroku-24"),
        ("", "heroku-20"),
    ],
)
def test_the_stack_runs_here(libc: str, name: str) -> None:
    """STACK is the newest whose programs need no newer C library."""
    assert stack(libc) == name


def test_later_buildpacks_see_what_earlier_ones_export(sandbox: Bench, shelf: Shelf) -> None:
    """An export file that compile wrote beside itself is sourced, errors in it and all."""
    first = shelf.make(
        "first",
        {
            "bin/compile": (
                'mkdir -p "$1/tools"; printf "#!/bin/sh\\necho tool ran\\n" > "$1/tools/tool"; '
                'chmod +x "$1/tools/tool"; '
                'echo "export PATH=$1/tools:\\$PATH A=\\$UNSET b; false; cd /" > '
                '"$(dirname "$(dirname "$0")")/export"'
            )
        },
    )
    second = shelf.make("second", {"bin/compile": 'tool; echo "in $PWD"'})
    sandbox.build(APP, buildpacks=[first, second])
    assert "tool ran" in sandbox.lines
    assert any(line.startswith("in /tmp/buildpack-") for line in sandbox.lines)
    assert not (shelf.root / "first/export").exists()


def test_process_types_are_those_of_the_last(sandbox: Bench, shelf: Shelf) -> None:
    """Of several bin/release, the last one's process types and everybody's config vars count."""
    release = "config_vars: {{X: {0}, {0}: y}}\ndefault_process_types: {{{0}: run}}"
    packs = [
        shelf.make(name, {"bin/release": f"cat <<END\n{release.format(name)}\nEND"})
        for name in ("one", "two")
    ]
    built = sandbox.build(APP, buildpacks=packs)
    assert built.buildpack == "one, two"
    assert dict(built.processes) == {"two": "run"}
    assert {name: value.reveal() for name, value in built.config.items()} == {
        "X": "two",
        "one": "y",
        "two": "y",
    }


def test_bin_release_is_optional(sandbox: Bench, shelf: Shelf) -> None:
    """A buildpack without one proposes nothing."""
    assert dict(sandbox.build(APP, buildpacks=[shelf.make("mine", {})]).processes) == {}


@pytest.mark.parametrize(
    ("release", "reason"),
    [
        ("echo '[[['", "cannot be used: it is not valid YAML, line"),
        ("yes", "cannot be used: it is larger than 65536 bytes"),
        ("echo a: b; exit 3", "failed: its bin/release exited with status 3"),
    ],
)
def test_bin_release_has_limits(sandbox: Bench, shelf: Shelf, release: str, reason: str) -> None:
    """Nonsense, endless output and a failure: each has its own message."""
    with pytest.raises(PaasError) as caught:
        sandbox.build(APP, buildpacks=[shelf.make("mine", {"bin/release": release})])
    assert reason in caught.value.message


@pytest.mark.parametrize("release", ["sleep 9999", "setsid sleep 9999 & echo a: b"])
def test_bin_release_has_to_end(sandbox: Bench, shelf: Shelf, release: str) -> None:
    """Within 30 s, here 2; also what it leaves running."""
    scripts = sandbox.root / "opt/versions/1/buildpacks"
    scripts.unlink()
    shutil.copytree(CODE / "buildpacks", scripts, symlinks=True)
    script = scripts / "lib/release.sh"
    text = script.read_text()
    assert (text.count("limit_s=30\n"), text.count("limit_s + 10)")) == (1, 1)
    script.write_text(
        text.replace("limit_s=30", "limit_s=2").replace("limit_s + 10", "limit_s + 1")
    )
    with pytest.raises(PaasError) as caught:
        sandbox.build(APP, buildpacks=[shelf.make("mine", {"bin/release": release})])
    assert "failed: its bin/release did not end within 2 s" in caught.value.message


def test_scripts_need_not_be_executable(sandbox: Bench, shelf: Shelf) -> None:
    """A mode that was lost on the way is no obstacle, whatever the script is written in."""
    files = {"bin/detect": "#!/usr/bin/env python3\nprint('Snake')\n", "bin/compile": "echo ran"}
    built = sandbox.build(APP, buildpacks=[shelf.make("mine", files, executable=False)])
    assert built.buildpack == "Snake"
    assert "ran" in sandbox.lines


def test_a_procfile_that_a_buildpack_makes_counts(sandbox: Bench, shelf: Shelf) -> None:
    """The Procfile is the one that is there after the build; a link is none."""
    pack = shelf.make("mine", {"bin/compile": 'echo "web: made" > "$1/Procfile"'})
    assert sandbox.build(APP, buildpacks=[pack]).procfile == b"web: made\n"
    link = shelf.make("link", {"bin/compile": 'ln -sf /etc/shadow "$1/Procfile"'})
    assert sandbox.build(APP, buildpacks=[link]).procfile is None


def test_each_buildpack_that_is_set_must_accept(sandbox: Bench, shelf: Shelf) -> None:
    """The one that does not is named, with what its detect said, and nothing is compiled after."""
    packs = [
        shelf.make("good", {"bin/compile": "echo good ran"}),
        shelf.make("bad", {"bin/detect": "echo it lacks a cob; exit 1"}),
        shelf.make("never", {"bin/compile": "echo never ran"}),
    ]
    with pytest.raises(PaasError) as caught:
        sandbox.build(APP, buildpacks=packs)
    assert f"The buildpack {shelf.root}/bad does not accept the app:" in caught.value.message
    assert f"paas buildpacks:remove {shelf.root}/bad" in (caught.value.hint or "")
    assert "good ran" in sandbox.lines
    assert "it lacks a cob" in sandbox.output()
    assert "never ran" not in sandbox.lines


def test_a_failing_compile_fails_the_build(sandbox: Bench, shelf: Shelf) -> None:
    """With the buildpack's name and its exit status."""
    pack = shelf.make("mine", {"bin/compile": "echo oops; exit 7"})
    with pytest.raises(PaasError) as caught:
        sandbox.build(APP, buildpacks=[pack])
    assert (
        caught.value.message
        == f"The buildpack {pack} failed: its bin/compile exited with status 7."
    )
    assert "oops" in sandbox.lines


def test_a_directory_that_is_gone(sandbox: Bench, shelf: Shelf) -> None:
    """Is told before anything runs."""
    pack = shelf.make("mine", {})
    shutil.rmtree(shelf.root / "mine")
    with pytest.raises(PaasError) as caught:
        sandbox.build(APP, buildpacks=[pack])
    assert caught.value.reference == "buildpack-gone"


def test_together_with_our_own(sandbox: Bench, shelf: Shelf) -> None:
    """Python first, then another's, which finds the app's Python on its PATH."""
    pack = shelf.make("mine", {"bin/compile": 'echo "python: $(command -v python)"'})
    files = {**APP, "requirements.txt": ""}
    built = sandbox.build(files, buildpacks=[buildpack("python"), pack])
    assert built.buildpack == "Python, mine"
    assert "python: /app/.venv/bin/python" in sandbox.lines


@pytest.fixture
def remote(tmp_path: Path, shelf: Shelf) -> Iterator[tuple[Bench, str, str]]:
    """A builder that believes a git server's certificate, the server's address, and a commit."""
    shelf.make("pack", {"bin/compile": "echo version one"})
    pack = shelf.root / "pack"
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    git = ["git", *identity, "-C", str(pack)]

    def commit(text: str) -> None:
        (pack / "bin/compile").write_text(f"#!/bin/bash\necho version {text}\n")
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", text], check=True)

    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    commit("one")
    first = subprocess.check_output([*git, "rev-parse", "HEAD"], text=True).strip()
    subprocess.run([*git, "tag", "v1"], check=True)
    commit("two")
    subprocess.run([*git, "clone", "-q", "--bare", ".", "../pack.git"], check=True, cwd=pack)
    subprocess.run(["tar", "-czf", "../pack.tgz", "bin"], check=True, cwd=pack)
    with serving(shelf.root) as (address, certificate):
        believed = {"GIT_SSL_CAINFO": str(certificate), "CURL_CA_BUNDLE": str(certificate)}
        certificate.chmod(0o644)
        bench = real(
            tmp_path / "server",
            lambda settings: replace(settings, build_env={**settings.build_env, **believed}),
        )
        yield bench, address, first
        bench.close()


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("pack.git", "two"),
        ("pack.git#main", "two"),
        ("pack.git#v1", "one"),
        ("pack.git#COMMIT", "one"),
        ("pack.git#SHORT", "one"),
        ("pack.tgz", "two"),
    ],
)
def test_fetches_by_address(remote: tuple[Bench, str, str], name: str, version: str) -> None:
    """A git repository at a branch, tag or commit, and an archive, run like any other."""
    bench, address, first = remote
    named = name.replace("COMMIT", first).replace("SHORT", first[:8])
    assert bench.build(APP, buildpacks=[buildpack(f"{address}/{named}")]).buildpack == "pack"
    assert f"version {version}" in bench.lines


def test_says_what_cannot_be_fetched(remote: tuple[Bench, str, str]) -> None:
    """A repository or a ref that does not exist is named."""
    bench, address, _ = remote
    for name in ("nothing.git", "pack.git#nothing"):
        with pytest.raises(PaasError) as caught:
            bench.build(APP, buildpacks=[buildpack(f"{address}/{name}")])
        assert f"{address}/{name} could not be fetched" in caught.value.message


def test_apts_sources_are_shown_in_the_old_form(tmp_path: Path, shelf: Shelf) -> None:
    """heroku-buildpack-apt reads /etc/apt/sources.list, which newer systems do not have."""
    apt = tmp_path / "apt"
    (apt / "sources.list.d").mkdir(parents=True)
    stanza = "Types: deb\nURIs: http://deb.example\nSuites: x\nComponents: main\n"
    (apt / "sources.list.d/debian.sources").write_text(stanza)
    kept: dict[str, Settings] = {}
    bench = real(tmp_path / "server", lambda settings: kept.setdefault("settings", settings))
    bench.builder = BuildpackBuilder(kept["settings"], apt)
    script = (
        'cat /etc/apt/sources.list; ls -d /etc/apt/sources.list.d; touch /etc/apt/x || echo "no"'
    )
    try:
        bench.build(APP, buildpacks=[shelf.make("mine", {"bin/compile": script})])
    finally:
        bench.close()
    assert "deb http://deb.example x main" in bench.lines
    assert "/etc/apt/sources.list.d" in bench.lines
    assert bench.lines[-1] == "no"
