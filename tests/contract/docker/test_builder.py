"""Images from Dockerfiles, built by the real engine, and what a hostile commit comes to."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from paas.adapters.docker.builder import DockerfileBuilder
from paas.adapters.docker.connection import docker_client
from paas.adapters.docker.images import Images
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.interfaces import Built
from paas.settings import Settings
from tests.contract.builds.building import an_app
from tests.contract.docker.engine import BASE

NUMBERS = count(1)


class Workshop:
    """Builds commits of these files, and keeps what the builds print."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lines: list[str] = []
        self.ids: list[str] = []

    def build(
        self,
        dockerfile: str,
        wanted: DockerfileBuild | None = None,
        *,
        first: str = "",
        cancelled_by: str = "",
        app_id: int = 1,
        **limits: float,
    ) -> Built:
        """first: shell commands in the tree. cancelled_by: a line that cancels the build.

        limits: settings.
        """
        build_id = f"{app_id}-{os.getpid()}{next(NUMBERS)}"
        tree = self.settings.paths.builds / build_id
        tree.mkdir()
        if dockerfile:
            (tree / "Dockerfile").write_text(dockerfile)
        if first:
            subprocess.run(["/bin/sh", "-ec", first], cwd=tree, check=True)
        self.lines.clear()
        self.ids.append(build_id)

        def check() -> None:
            if cancelled_by and any(cancelled_by in line for line in self.lines):
                raise PaasError("build-cancelled", "Cancelled.")

        builder = DockerfileBuilder(replace(self.settings, **limits))  # type: ignore[arg-type]
        return builder.build(
            an_app(app_id),
            tree,
            {VarName("CONFIG"): Secret("c0nfig")},
            lambda line: self.lines.append(line.decode()),
            dockerfile=wanted,
            commit="c0ffee",
            check=check,
        )

    def history(self, built: Built) -> str:
        """All that the engine tells of an image."""
        assert built.image is not None
        with docker_client(self.settings) as client:
            facts = client.api.inspect_image(built.image.id)
            return f"{facts}{client.api.history(built.image.id)}"

    def output(self) -> str:
        """What the last build printed."""
        return "\n".join(self.lines)


@pytest.fixture
def workshop(docker_settings: Settings) -> Iterator[Workshop]:
    """A builder; nothing of its builds is left afterwards."""
    found = Workshop(docker_settings)
    yield found
    assert not DockerfileBuilder(docker_settings).left(1)
    images = Images(docker_settings)
    assert all(images.remove_build(build_id) for build_id in found.ids)


def test_an_image_is_built(workshop: Workshop) -> None:
    """Its steps are shown; what it exposes decides PORT, and its CMD is the web process."""
    built = workshop.build(
        f"FROM {BASE}\nWORKDIR /srv\nRUN echo hel''lo; id\nCOPY . .\nEXPOSE 8080\nCMD ['x']\n",
        first="echo hi > file",
    )
    assert built.image is not None
    assert (built.image.port, built.image.has_shell) == (8080, True)
    assert (built.processes, built.procfile) == ({"web": ""}, None)
    assert built.image_bytes > 0
    assert "       hello" in workshop.lines
    assert "-----> [2/4] WORKDIR /srv" in workshop.lines
    assert "CONFIG" not in workshop.history(built)


def test_a_second_build_is_cached_and_has_an_image_of_its_own(workshop: Workshop) -> None:
    """So the image of one build can be deleted without the other's."""
    dockerfile = f"FROM {BASE}\nRUN echo hello\n"
    first, second = workshop.build(dockerfile), workshop.build(dockerfile)
    assert "-----> [2/2] RUN echo hello (cached)" in workshop.lines
    assert first.image is not None
    assert second.image is not None
    images = Images(workshop.settings)
    assert images.remove_build(workshop.ids[0])
    assert not images.has(first.image.id)
    assert images.has(second.image.id)


def test_arguments_and_secrets(workshop: Workshop) -> None:
    """An argument is there for ARG; a secret for the step that mounts it, and nowhere else."""
    wanted = DockerfileBuild(
        args={VarName("GREETING"): "hello 'you' $HOME --x"},
        secrets={VarName("TOKEN"): Secret("t0ken")},
    )
    built = workshop.build(
        f'FROM {BASE}\nARG GREETING\nRUN echo "<$GREETING>"\n'
        "RUN --mount=type=secret,id=TOKEN sh -c 'read t < /run/secrets/TOKEN; echo ${#t}'\n"
        "RUN ls /run/secrets 2>&1 || true\n",
        wanted,
    )
    assert "       <hello 'you' $HOME --x>" in workshop.lines
    assert "       5" in workshop.lines
    assert "t0ken" not in workshop.history(built) + workshop.output()


def test_caches_of_two_apps(workshop: Workshop) -> None:
    """What one app leaves in a cache, its next build finds, and no other app's."""
    dockerfile = (
        f"FROM {BASE}\nARG N\nRUN --mount=type=cache,target=/cache "
        ": $N; cat /cache/x || echo empty; echo mine > /cache/x\n"
    )
    for app_id, found in ((1, "empty"), (1, "mine"), (2, "empty")):
        args = {VarName("N"): str(next(NUMBERS)), VarName("BUILDKIT_CACHE_MOUNT_NS"): "same"}
        workshop.build(dockerfile, DockerfileBuild(args=args), app_id=app_id)
        assert f"       {found}" in workshop.lines


def test_another_path_and_stage(workshop: Workshop) -> None:
    """The chosen stage of the chosen file is built; its own .dockerignore counts."""
    workshop.build(
        "",
        DockerfileBuild(path="deploy/Dockerfile.web", target="small"),
        first=f"""
            mkdir deploy; echo private > private
            printf 'FROM {BASE} AS small\\nCOPY . /x\\nRUN ls /x\\nFROM small\\nRUN false\\n' \
                > deploy/Dockerfile.web
            echo private > deploy/Dockerfile.web.dockerignore
        """,
    )
    assert "       deploy" in workshop.lines
    assert "       private" not in workshop.lines


def test_a_procfile_of_the_image(workshop: Workshop) -> None:
    """Where the commit has none, that of the working directory counts."""
    dockerfile = f"FROM {BASE}\nWORKDIR /srv\nRUN echo 'web: serve' > Procfile\n"
    built = workshop.build(dockerfile)
    assert (built.procfile, built.processes) == (b"web: serve\n", {})
    assert workshop.build(dockerfile, first="echo 'web: x' > Procfile").procfile is None


def test_an_image_without_a_shell(workshop: Workshop) -> None:
    """It is told from one that has a shell, and nothing of it is started for that."""
    built = workshop.build("FROM scratch\nCOPY Dockerfile /\n")
    assert built.image is not None
    assert not built.image.has_shell
    assert built.image.port == 5000


def test_a_cancelled_build_ends(workshop: Workshop) -> None:
    """The step's processes end with the build."""
    with pytest.raises(PaasError, match="Cancelled"):
        workshop.build(f"FROM {BASE}\nRUN echo begun; sleep 86411\n", cancelled_by="begun")
    until_gone("sleep 86411")


def test_a_build_has_a_time_limit(workshop: Workshop) -> None:
    """A step that never ends is ended."""
    with pytest.raises(PaasError, match="did not end within 5 s"):
        workshop.build(f"FROM {BASE}\nRUN sleep 86412\n", build_limit_s=5.0)
    until_gone("sleep 86412")


@pytest.mark.parametrize("after", ["", "; exit 2"])
def test_a_build_has_a_memory_limit(workshop: Workshop, after: str) -> None:
    """A step that needs more is killed, with the reason, also where that was no main process."""
    hog = f"sh -c 'x=0123456789; while :; do x=$x$x; done'{after}"
    with pytest.raises(PaasError, match="it needs more than 64 MiB") as caught:
        workshop.build(f"FROM {BASE}\nRUN ulimit -v 4000000; {hog}\n", build_memory_mib=64)
    assert caught.value.reference == "build-memory"
    assert "build_memory_mib" in str(caught.value.hint)


def test_a_build_has_a_limit_of_processes(workshop: Workshop) -> None:
    """Of all its steps together, and a quarter of an instance's part of a busy processor."""
    step = "for n in 0 1 2 3 4 5 6 7 8 9; do sleep 300 & done"
    with pytest.raises(PaasError, match="exited with status 2"):
        workshop.build(f"FROM {BASE}\nRUN {step}\n", max_processes=6)
    assert "Cannot fork" in workshop.output()
    limited = Cgroups(replace(workshop.settings, max_processes=6)).for_image_builds()
    assert any("cpu" in name for entry in limited for name in entry.limits)
    for entry in limited:
        for name, text in entry.limits.items():
            assert Path(entry.path, name).read_text() == f"{text}\n"


@pytest.mark.parametrize(
    ("dockerfile", "first", "why"),
    [
        (f"FROM {BASE}\nRUN exit 3", "", r"step \[2/2\] RUN exit 3 failed: it exited with .* 3\."),
        (f"FROM {BASE}\nCOPY nothing /", "", "nothing"),
        (f"FETCH {BASE}", "", "unknown instruction: FETCH"),
        ("", "", "has no Dockerfile"),
        ("", "ln -s /etc/shadow Dockerfile", "has no Dockerfile"),
        ("", "mkdir Dockerfile", "has no Dockerfile"),
        ("", "mkfifo Dockerfile", "has no Dockerfile"),
        ("FROM no.such.registry.invalid/x", "", "no.such.registry.invalid"),
        (f"FROM {BASE}\nEXPOSE 22 65536", "", "65536"),
        (f"FROM {BASE}\nRUN --network=host id", "", "network"),
        (f"FROM {BASE}\nRUN --security=insecure id", "", "security"),
        (f"FROM {BASE}\nLABEL paas.instance=web.1", "", "label 'paas.instance'"),
    ],
)
def test_what_cannot_be_built(workshop: Workshop, dockerfile: str, first: str, why: str) -> None:
    """Each ends in a sentence that names what is wrong."""
    with pytest.raises(PaasError, match=why) as caught:
        workshop.build(dockerfile, first=first)
    assert caught.value.message.endswith(".")
    assert "root:" not in caught.value.report + workshop.output()


def test_a_folder_that_is_a_link(workshop: Workshop) -> None:
    """A path through a link to a folder of the server is no Dockerfile of the app's."""
    with pytest.raises(PaasError, match="a link leads to it"):
        workshop.build("", DockerfileBuild(path="deploy/shadow"), first="ln -s /etc deploy")


def test_links_in_the_context(workshop: Workshop) -> None:
    """They stay links: nothing of the server's files is copied."""
    workshop.build(
        f"FROM {BASE}\nCOPY . /x\nRUN ls -l /x; cat /x/shadow || echo emp''ty\n",
        first="ln -s /etc/shadow shadow; ln -s / root",
    )
    # What cat says of it may be on the same line.
    assert "empty" in workshop.output()
    assert "root:" not in workshop.output()


def test_an_image_that_says_much(workshop: Workshop) -> None:
    """A foreign uid, a health check that hangs, ONBUILD and volumes: nothing of it is run."""
    built = workshop.build(
        f"FROM {BASE}\nUSER 33:1000\nEXPOSE 22 53/udp\nHEALTHCHECK CMD sleep 1000\n"
        'ONBUILD RUN id\nVOLUME /data\nENTRYPOINT ["/bin/sleep"]\nSTOPSIGNAL SIGKILL\n'
    )
    assert built.image is not None
    assert built.image.port == 22
    with docker_client(workshop.settings) as client:
        assert client.api.containers(all=True) == []
        assert client.api.volumes()["Volumes"] in (None, [])


def test_the_engine_is_down(tmp_path: Path) -> None:
    """The error says so."""
    settings = Settings(state=tmp_path, run=tmp_path)
    assert Images(settings).remove_build("1-1")  # it never had one
    settings.paths.docker.mkdir()
    with pytest.raises(PaasError, match="engine does not answer"):
        Images(settings).facts("sha256:" + "a" * 64)
    assert not Images(settings).remove_build("1-1")


def until_gone(command: str) -> None:
    """Wait until no process of that command is left."""
    words = command.replace(" ", "\0").encode() + b"\0"
    while any(_command(path) == words for path in Path("/proc").glob("[0-9]*/cmdline")):
        pass


def _command(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
