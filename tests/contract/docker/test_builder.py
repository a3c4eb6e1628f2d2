"""Images from Dockerfiles, built by the real engine."""

from dataclasses import replace
from pathlib import Path

import pytest

from paas.adapters.docker.images import Images
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.builds.builders import DockerfileBuild
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VarName
from paas.domain.values.secret import Secret
from paas.settings import Settings
from tests.contract.docker.workshop import NUMBERS, Workshop
from tests.docker_engine import BASE
from tests.processes import command_lines
from tests.waiting import wait_for


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
    """It is distinguished from one that has a shell, and nothing of it is started for that."""
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
    wait_for(lambda: command.split() not in command_lines().values())
